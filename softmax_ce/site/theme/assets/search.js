// Search is loaded with the first message to it, not with the page.
class LateWorker extends EventTarget {
  static Started = Worker;

  constructor(url) {
    super();
    this.url = url;
  }

  postMessage(data) {
    if (!this.worker) {
      this.worker = new LateWorker.Started(this.url);
      this.worker.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
    }
    this.worker.postMessage(data);
  }
}

// In a double-clicked file a browser starts no Worker, so an iframe stands in for it: the same
// messages, the same importScripts.
class FrameWorker extends EventTarget {
  #waiting = [];
  #frame = document.createElement("iframe");

  constructor(url) {
    super();
    this.#frame.hidden = true;
    document.body.append(this.#frame);
    const inside = this.#frame.contentWindow;
    inside.postMessage = (data) => {
      const message = new MessageEvent("message", { data });
      this.dispatchEvent(message);
      this.onmessage?.(message);
    };
    inside.importScripts = (...urls) => Promise.all(urls.map((src) => this.#load(src)));
    inside.importScripts(url).then(() => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting.forEach((data) => this.#deliver(data));
    });
  }

  postMessage(data) {
    this.#waiting ? this.#waiting.push(data) : this.#deliver(data);
  }

  terminate() {
    this.#frame.remove();
  }

  #deliver(data) {
    const inside = this.#frame.contentWindow;
    inside.dispatchEvent(new inside.MessageEvent("message", { data }));
  }

  #load(src) {
    return new Promise((resolve, reject) => {
      const script = this.#frame.contentDocument.createElement("script");
      Object.assign(script, { src, onload: resolve, onerror: reject });
      this.#frame.contentDocument.body.append(script);
    });
  }
}

window.Worker = location.protocol === "file:" ? FrameWorker : LateWorker;
