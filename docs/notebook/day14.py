# ---
# jupyter:
#   description: The whole lesson by hand in one sitting, from torch alone. Softmax, its overflow, the loss, its gradient and the temperature, each checked against the library.
#   notation:
#     c: uniform(-5, 5)
#     S: z.exp().sum()
#     z_{\max}: z.max()
#     \mathrm{eps}: torch.finfo(torch.float32).eps
#     \operatorname{diag}(p): torch.diag(p)
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Day 14: softmax and cross-entropy by hand
#
# ## 1. What we build
#
# A network looks at a chart and has to choose among three decisions: buy,
# hold or sell. Its last layer gives three numbers, the *logits*:
#
# $$z = [2.0,\ 1.0,\ 0.1]$$
#
# Then the truth arrives. The right decision was buy, which is class $y = 0$.
#
# In this notebook you turn the logits into probabilities $p$ (softmax), the
# probability of the truth into one number $\mathcal{L}$ (the cross-entropy
# loss), and that number back into three slopes
# $\partial \mathcal{L} / \partial z_j$, one for each logit $z_j$ (the
# gradient). You write every function yourself with plain tensor operations.
# PyTorch's own softmax and loss come in only as the thing to compare with.
#
# Make two predictions before you read on, and write them down.
#
# 1. **The gradient.** Which of its three entries are positive and which are
#    negative? What do the three add up to? Section 7 answers.
# 2. **Large logits.** What does softmax, coded as it is defined, give for
#    $[1000, 1001, 1002]$: an error message, or which three numbers?
#    Section 3 answers.

# %%
import math

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F

# %% [markdown]
# ## 2. Softmax as it is defined
#
# We want one probability for each class. Logits may be negative and need not
# add up to 1, so they cannot serve as they are. We ask for one thing: the gap
# between two logits shall be the logarithm of the *odds* between the two
# classes, that is, of the quotient of their probabilities.
#
# This fixes the formula. Start with the wish, solve it for $p_i$, add up over
# all classes $i$, and use that probabilities add up to 1:
#
# $$
# \begin{aligned}
# \log \frac{p_i}{p_j} &= z_i - z_j \\
# p_i &= p_j \, \frac{e^{z_i}}{e^{z_j}} \\
# \sum_i p_i &= \frac{p_j}{e^{z_j}} \sum_i e^{z_i} \\
# 1 &= \frac{p_j}{e^{z_j}} \sum_i e^{z_i} \\
# p_j &= \frac{e^{z_j}}{\sum_i e^{z_i}}
# \end{aligned}
# $$
#
# The code is the last line: `exp`, then divide by the sum. The classes lie in
# the last dimension, `dim=-1`, and `keepdim=True` keeps the sum as a column
# that divides its own row.


# %%
def softmax_naive(logits, dim=-1):
    exps = logits.exp()
    return exps / exps.sum(dim, keepdim=True)


small = torch.tensor([1.0, 2.0, 3.0])
probs = softmax_naive(small)
print(probs)

# %% [markdown]
# Four things can be read off the formula.
#
# - **Positive:** $e^z > 0$ for every $z$.
# - **The sum is 1:** each term is divided by the sum of all.
# - **The order stays:** $e^z$ grows with $z$, so a larger logit has a larger
#   probability.
# - **The odds depend on the gap alone:** $p_i / p_j = e^{z_i - z_j}$. A gap of
#   2 makes the larger class $e^2 = 7.389$ times as probable, whatever the
#   other classes are.
#
# These are statements about real numbers. Floats follow them up to rounding,
# and Section 4 shows a probability that is exactly 0. The next cell tests all
# four on $[1, 2, 3]$, where classes 2 and 0 are a gap of 2 apart.

# %%
print("positive:", bool((probs > 0).all()))
print(f"sum: {probs.sum():.4f}")
print("same order:", torch.equal(probs.argsort(), small.argsort()))
print(f"odds of class 2 against class 0: {probs[2] / probs[0]:.3f}")

# %% [markdown]
# We shall compare our results with PyTorch's many times, so we write the
# comparison once. It says three things. (Makemore part 4 has such a `cmp` too.)
#
# - `exact`: every bit agrees (`torch.equal`). Two correct programs may round
#   differently, so `False` is no mistake. It may also change from one
#   processor to another.
# - `approximate`: `torch.allclose` with the tolerance stated in the code, a
#   difference of at most $10^{-8}$ plus $10^{-5}$ of the size of the number.
# - `maxdiff`: the largest absolute difference. If it is at most 4 eps we print
#   only that, because the digits of a rounding error tell nothing. `eps` is
#   the distance from 1 to the next float: $1.19 \cdot 10^{-7}$ in float32.


# %%
def cmp(name, mine, theirs):
    exact = torch.equal(mine, theirs)
    close = torch.allclose(mine, theirs, rtol=1e-5, atol=1e-8)
    maxdiff = (mine - theirs).abs().max().item()
    tiny = maxdiff <= 4 * torch.finfo(mine.dtype).eps
    size = "at most 4 eps" if tiny else f"{maxdiff:.4f}"
    print(f"{name}: exact: {exact} | approximate: {close} | maxdiff: {size}")


cmp("softmax", softmax_naive(small), torch.softmax(small, dim=-1))

# %% [markdown]
# ## 3. Where the definition overflows
#
# Now the second prediction. The logits $[1000, 1001, 1002]$ have the same gaps
# as $[1, 2, 3]$, so by the formula they have the same probabilities. The code
# gives something else.

# %%
large = torch.tensor([1000.0, 1001.0, 1002.0])
print("exps:", large.exp())
print("naive:", softmax_naive(large))

# %% [markdown]
# Each exponential is larger than any float32 and becomes `inf`, and
# `inf / inf` is `nan`, "not a number". No exception is raised. The `nan` goes
# on into the loss and from there into every weight, and training continues
# without a word.
#
# You may remember from makemore part 2 that a logit of 100 is already too
# much. Where does it begin? We measure it. At 88 the exponential is finite and
# at 89 it is `inf`, so we halve the interval between them until no float lies
# inside. `torch.nextafter(low, high)` is the float that follows `low` in the
# direction of `high`.

# %%
low, high = torch.tensor(88.0), torch.tensor(89.0)
while torch.nextafter(low, high) < high:
    middle = (low + high) / 2
    if middle.exp().isfinite():
        low = middle
    else:
        high = middle

print(f"last finite exp at {low:.4f}, and inf at the next float")
for dtype in (torch.float16, torch.float32, torch.float64):
    largest = torch.tensor(torch.finfo(dtype).max, dtype=torch.float64)
    print(f"{dtype}: log of the largest number is {largest.log():.4f}")

# %% [markdown]
# The limit is 88.7228, the logarithm of the largest float32. It belongs to the
# number format: float16 ends near 11.09 already, float64 at 709.78.
#
# A logit above the limit is one of three ways to lose the answer altogether. The
# other two need no such logit. At $[88.5, 88.5]$ both exponentials are finite
# but their sum is `inf`, and finite over `inf` is 0. At $[-110, -110]$ both
# exponentials are too small for float32 and become 0, and `0 / 0` is `nan`.
# The right answer is $[0.5, 0.5]$ in all three rows.

# %%
for pair in ([89.0, 89.0], [88.5, 88.5], [-110.0, -110.0]):
    print(pair, softmax_naive(torch.tensor(pair)))

# %% [markdown]
# ## 4. The stable softmax
#
# Only gaps matter, so we may subtract the same number $c$ from all logits of a
# row:
#
# $$
# \begin{aligned}
# \frac{e^{z_i - c}}{\sum_j e^{z_j - c}}
# &= \frac{e^{z_i} \, e^{-c}}{\sum_j e^{z_j} \, e^{-c}} \\
# &= \frac{e^{-c} \, e^{z_i}}{e^{-c} \sum_j e^{z_j}} \\
# &= \frac{e^{z_i}}{\sum_j e^{z_j}} \\
# &= p_i
# \end{aligned}
# $$
#
# The number $e^{-c}$ is positive, so we may cancel it in the third line. The
# result holds for every $c$. We choose $\max_k z_k$. Then no exponent is above
# 0, so no exponential is above 1. The largest is exactly $e^0 = 1$, so
# the sum of $V$ exponentials lies between 1 and $V$. For finite logits no
# exponential is `inf` any more, and no sum is 0. (Rounded to float16 the sum can
# still overflow, with 65,520<!-- = torch.finfo(torch.float16).max + 16 --> classes and more.)
#
# In code, `amax` is the maximum along a dimension.


# %%
def softmax_stable(logits, dim=-1):
    shifted = logits - logits.amax(dim, keepdim=True)
    exps = shifted.exp()
    return exps / exps.sum(dim, keepdim=True)


print(softmax_stable(small))
print(softmax_stable(large))
print("equal:", torch.equal(softmax_stable(small), softmax_stable(large)))

# %% [markdown]
# Here the two rows agree in every bit, because both become $[-2, -1, 0]$<!-- = torch.tensor([1.0, 2.0, 3.0]) - 3 -->
# after the shift and these subtractions are exact. In general the subtraction
# rounds, and two shifted rows agree only up to rounding.
#
# In floats a probability can still be exactly 0. A logit 200 below the largest
# has the probability $e^{-200}$, about $10^{-87}$<!-- = math.exp(-200) -->, and float32 has no positive
# number that small. This matters in Section 6, where we take a logarithm.

# %%
print(softmax_stable(torch.tensor([0.0, -200.0])))

# %% [markdown]
# Training works on a *batch*, $N$ examples at a time, one in each row. Our
# second example has the logits $[0.5, 2.5, 0.3]$, and its truth is hold, class
# 1. With `dim=-1` each row is shifted by its own maximum and divided by its own
# sum.

# %%
batch = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
targets = torch.tensor([0, 1])

print(softmax_stable(batch))
cmp("batch", softmax_stable(batch), torch.softmax(batch, dim=-1))

# %% [markdown]
# What happens if a `dim` is forgotten? There are two places, and two different
# mistakes.
#
# **In the maximum.** `logits.max()` is the maximum of the whole batch. Each row
# is still shifted by one number, so the formula is still right, and on our
# batch the result is too, up to rounding. But a row far below the batch's
# maximum underflows: if its largest logit is more than 104<!-- = 149.5 * math.log(2) --> below, all its
# exponentials are 0, and `0 / 0` is `nan`. (It loses digits earlier, from about
# 87<!-- = -math.log(torch.finfo(torch.float32).tiny) --> on.) So one row of large logits spoils another row that even the naive form
# computes correctly.
#
# **In the sum.** `exps.sum()` adds up the whole batch. Then the whole batch
# sums to 1, and no row does. This is wrong for every batch of two or more
# rows, without `nan` and without a warning.


# %%
def max_without_dim(logits):
    exps = (logits - logits.max()).exp()
    return exps / exps.sum(-1, keepdim=True)


def sum_without_dim(logits):
    exps = (logits - logits.amax(-1, keepdim=True)).exp()
    return exps / exps.sum()


cmp("max", max_without_dim(batch), softmax_stable(batch))
print(max_without_dim(torch.stack([small, large])))
print("sum without dim, row sums:", sum_without_dim(batch).sum(-1))

# %% [markdown]
# ## 5. The loss
#
# How good is a prediction once the truth is known? The model gave example $n$
# the probabilities $p^{(n)}_i$, and the true class turned out to be $y_n$. If
# the examples are independent, the probability of all these truths together is
# a product, the *likelihood*. We look for the model that makes it as large as
# possible. This is the principle of *maximum likelihood*.
#
# A product of many numbers below 1 can underflow, and a sum is easier to
# differentiate, so we take the logarithm. It grows with its argument, so it
# has its maximum at the same place. By custom a loss is made small, so we
# change the sign. We divide by $N$ so that the size of the batch does not
# matter. None of the three steps moves the optimum, and what is left to
# minimise is a mean:
#
# $$
# \begin{aligned}
# -\frac{1}{N} \log \prod_{n=1}^{N} p^{(n)}_{y_n}
# &= -\frac{1}{N} \sum_{n=1}^{N} \log p^{(n)}_{y_n} \\
# &= \frac{1}{N} \sum_{n=1}^{N} \left(-\log p^{(n)}_{y_n}\right)
# \end{aligned}
# $$
#
# So the loss of one example is
#
# $$\mathcal{L} = -\log p_y$$
#
# It is 0 when the truth had probability 1 and grows without bound as that
# probability goes to 0. With the natural logarithm its unit is the *nat*.
#
# In code, `gather` picks the entry $p_y$ of each row. For our example we
# expect $-\log 0.6590$.


# %%
def cross_entropy_manual(logits, targets):
    probs = softmax_stable(logits)
    return -probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1).log()


logits, target = torch.tensor([2.0, 1.0, 0.1]), torch.tensor(0)

print("probabilities:", softmax_stable(logits))
print(f"loss: {cross_entropy_manual(logits, target):.6f}")
cmp(
    "one example",
    cross_entropy_manual(logits, target),
    F.cross_entropy(logits, target),
)

# %% [markdown]
# On a batch our function gives one loss for each example, and the loss of the
# batch is their mean. `F.cross_entropy` takes the mean by itself, because its
# default is `reduction="mean"`.

# %%
losses = cross_entropy_manual(batch, targets)
print("losses:", losses)
print(f"mean: {losses.mean():.6f}")
cmp("batch", losses.mean(), F.cross_entropy(batch, targets))

# %% [markdown]
# One value of the loss is worth knowing by heart. If all $V$ logits are equal,
# each class has probability $1/V$, and the loss is $-\log (1/V) = \log V$,
# whatever the truth is. A new network that knows nothing should start near this value. For the 27 characters of
# makemore it is 3.2958. A first loss far above it usually means that the
# network is confident before it has learnt anything.

# %%
for V in (3, 10, 27):
    loss = cross_entropy_manual(torch.zeros(V), target)
    print(f"V = {V:2}  loss = {loss:.4f}  log V = {torch.tensor(V).log():.4f}")

# %% [markdown]
# ## 6. Stable is not exact
#
# The softmax is stable now. Its logarithm is not. Take two classes, give the
# wrong one a lead $g$ over the target, and let $g$ grow. The loss is
# $\log(1 + e^g)$, which is $g$ in all the digits we print. But $p_y$ shrinks
# like $e^{-g}$, and beyond a lead of 104<!-- = 149.5 * math.log(2) --> it underflows to 0 in float32. Then
# $-\log 0$ is `inf`.
#
# The remedy is to take the logarithm on paper, before any number is computed.
# Write $z_{\max}$ for $\max_k z_k$:
#
# $$
# \begin{aligned}
# \log p_i &= \log \frac{e^{z_i - z_{\max}}}{\sum_j e^{z_j - z_{\max}}} \\
# &= \log e^{z_i - z_{\max}} - \log \sum_j e^{z_j - z_{\max}} \\
# &= (z_i - z_{\max}) - \log \sum_j e^{z_j - z_{\max}}
# \end{aligned}
# $$
#
# No probability is formed, so none can underflow. The sum lies between 1 and
# $V$ as before, so its logarithm is finite.


# %%
def log_softmax(logits, dim=-1):
    shifted = logits - logits.amax(dim, keepdim=True)
    return shifted - shifted.exp().sum(dim, keepdim=True).log()


def cross_entropy_log(logits, targets):
    log_probs = log_softmax(logits)
    return -log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1)


wrong = torch.tensor(1)
print("  lead  -log(softmax)  log_softmax")
for lead in (10.0, 100.0, 105.0, 1000.0):
    pair = torch.tensor([lead, 0.0])
    dies = cross_entropy_manual(pair, wrong)
    lives = cross_entropy_log(pair, wrong)
    print(f"{lead:6.0f}  {dies:13.1f}  {lives:11.1f}")

# %% [markdown]
# The composition gives `inf` at a lead of 105, and log-softmax goes on. The
# *gradient* of the composition dies earlier. At a lead of 100 the loss is still
# finite, but the derivative of the logarithm is $1 / p_y$, about $e^{100}$,
# which overflows as in Section 3; the backward step of softmax then subtracts
# `inf` from `inf`. With two classes this begins at a lead of 88.7228. We ask
# autograd for the gradient of both forms at a lead of 100. The first is `nan` at
# the target. The second is right: $p - \text{truth}$ up to rounding, as
# Section 7 shows.

# %%
for form in (cross_entropy_manual, cross_entropy_log):
    pair = torch.tensor([100.0, 0.0], requires_grad=True)
    form(pair, wrong).backward()
    print(f"{form.__name__:21}{pair.grad}")

# %% [markdown]
# `F.cross_entropy` computes log-softmax too. That is the reason to call it with
# logits rather than to take the logarithm of a softmax.
#
# It is not exact either. Turn the pair round, so that of the two classes the
# *right* one leads by the gap $g$. The loss is $\log(1 + e^{-g})$, small but
# never 0. Log-softmax adds $1 + e^{-g}$ first. From 1 upwards the float32
# numbers are one eps apart, so the sum moves in steps of eps. Once $e^{-g}$ is
# at most half a step, the sum rounds to 1 and the loss is exactly 0. For two
# classes that happens from a gap of $\log(2 / \mathrm{eps})$ on. We look at a gap just
# below this number and at one just above it.

# %%
for dtype in (torch.float32, torch.float64):
    threshold = torch.tensor(2 / torch.finfo(dtype).eps).log()
    print(f"{dtype}: log(2 / eps) = {threshold:.2f}")
for gap in (16.60, 16.64):
    loss = F.cross_entropy(torch.tensor([gap, 0.0]), target)
    print(f"gap {gap:.2f}  loss is exactly 0: {bool(loss == 0)}")

# %% [markdown]
# A third form keeps these digits. Write $\operatorname{LSE}(z)$ for
# $\log \sum_j e^{z_j}$, the *log-sum-exp*. Begin with the definition and take
# the target's term out of the sum, where it is $e^{z_y - z_y} = 1$:
#
# $$
# \begin{aligned}
# \mathcal{L} &= -\log \frac{e^{z_y}}{\sum_j e^{z_j}} \\
# &= \log \frac{\sum_j e^{z_j}}{e^{z_y}} \\
# &= \log \sum_j e^{z_j - z_y} \\
# &= \log \Big( 1 + \sum_{j \ne y} e^{z_j - z_y} \Big) \\
# &= \log \left( 1 + e^m \right), \qquad
#   m = \operatorname{LSE}_{j \ne y}(z_j - z_y) \\
# &= \operatorname{softplus}(m)
# \end{aligned}
# $$
#
# The last line is a name: $\operatorname{softplus}(m)$ means
# $\log(1 + e^m)$. The common term $z_y$ can be moved out of the log-sum-exp, so
# $m = \operatorname{LSE}_{j \ne y}(z_j) - z_y$: the log-sum-exp of the others,
# minus the logit of the target. The exponential of $m$ is the sum of the others
# over the target's, $e^m = (1 - p_y) / p_y$. So $m$ is the log-odds of
# "not $y$".
#
# For softplus, note that $\log(1 + e^m) = \log(e^m + e^0)$. This is the
# log-sum-exp of $m$ and 0, and `torch.logaddexp` computes it for two numbers.
# Inside it uses `log1p(x)`, which is $\log(1 + x)$ without first
# rounding $1 + x$. That is where the lost digits come back.
#
# The code follows the derivation. In `logsumexp` the maximum is subtracted
# before `exp` and added back at the end. The second line is for a row that
# holds nothing but $-\infty$, an empty sum: its maximum is replaced by 0, so
# that $-\infty - (-\infty)$, a `nan`, never arises. In `cross_entropy_third`,
# `scatter` puts $-\infty$ where the target stands. Its exponential is 0, so the
# sum runs over the others alone.


# %%
def logsumexp(logits, dim=-1):
    top = logits.amax(dim, keepdim=True)
    top = top.where(top.isfinite(), 0)
    return top.squeeze(dim) + (logits - top).exp().sum(dim).log()


def softplus(m):
    return torch.logaddexp(m, torch.zeros_like(m))


def cross_entropy_third(logits, targets):
    index = targets.unsqueeze(-1)
    gaps = logits - logits.gather(-1, index)
    return softplus(logsumexp(gaps.scatter(-1, index, -torch.inf)))


cmp("batch", cross_entropy_third(batch, targets).mean(), losses.mean())

print("  gap  F.cross_entropy  third form  float64")
for gap in (10.0, 15.0, 16.5, 17.0, 20.0):
    pair = torch.tensor([gap, 0.0])
    theirs = F.cross_entropy(pair, target)
    third = cross_entropy_third(pair, target)
    double = F.cross_entropy(pair.double(), target)
    print(f"{gap:5.1f}  {theirs:15.2e}  {third:10.2e}  {double:.2e}")

# %% [markdown]
# At a gap of 15 the library is 17 %<!-- = abs(F.cross_entropy(torch.tensor([15.0, 0.0]), torch.tensor(0)).item() / math.log1p(math.exp(-15.0)) - 1) --> off in float32, at 16.5 it is 75 %<!-- = abs(F.cross_entropy(torch.tensor([16.5, 0.0]), torch.tensor(0)).item() / math.log1p(math.exp(-16.5)) - 1) --> off, and
# at 17 nothing is left. The third form agrees with the float64 column in every
# digit shown. In float64 the library reaches the same end later, at a gap of
# 36.74<!-- = math.log(2 / torch.finfo(torch.float64).eps) -->.
#
# For training this error seldom matters, since the loss is near 0 where it
# occurs. It matters to whoever believes that the library is exact. With many
# classes the library loses digits of larger losses, too: the chapter Accuracy
# measures that, and what a gap that is itself rounded costs the third form.

# %% [markdown]
# ## 7. The gradient
#
# We want $\partial \mathcal{L} / \partial z_j$ for every $j$. First the road by
# the log-sum-exp. The loss has two terms:
#
# $$
# \begin{aligned}
# \mathcal{L} &= -\log p_y \\
# &= -\log \frac{e^{z_y}}{\sum_k e^{z_k}} \\
# &= \log \sum_k e^{z_k} - z_y \\
# &= \operatorname{LSE}(z) - z_y
# \end{aligned}
# $$
#
# Differentiate the first term by the chain rule. In the sum over $k$, only the
# term $k = j$ depends on $z_j$:
#
# $$
# \begin{aligned}
# \frac{\partial}{\partial z_j} \operatorname{LSE}(z)
# &= \frac{\partial}{\partial z_j} \log \sum_k e^{z_k} \\
# &= \frac{1}{\sum_k e^{z_k}} \,
#   \frac{\partial}{\partial z_j} \sum_k e^{z_k} \\
# &= \frac{1}{\sum_k e^{z_k}} \, e^{z_j} \\
# &= p_j
# \end{aligned}
# $$
#
# Differentiate the second term. The symbol $\mathbb{1}[j = y]$ is 1 when
# $j = y$ and 0 otherwise:
#
# $$\frac{\partial z_y}{\partial z_j} = \mathbb{1}[j = y]$$
#
# Subtract:
#
# $$\frac{\partial \mathcal{L}}{\partial z_j} = p_j - \mathbb{1}[j = y]$$
#
# Prediction minus truth. The truth, written as a row with 1 at the target and
# 0 elsewhere, is called *one-hot*.
#
# The second road goes through the probabilities, as backpropagation does. It
# needs the derivative of every $p_i$ by every $z_j$, the *Jacobian* of softmax.
# With $S = \sum_k e^{z_k}$ and the quotient rule:
#
# $$
# \begin{aligned}
# \frac{\partial p_i}{\partial z_j}
# &= \frac{\partial}{\partial z_j} \frac{e^{z_i}}{S} \\
# &= \frac{\mathbb{1}[i = j] \, e^{z_i} \, S - e^{z_i} \, e^{z_j}}{S^2} \\
# &= \mathbb{1}[i = j] \, p_i - p_i \, p_j \\
# &= p_i \left( \mathbb{1}[i = j] - p_j \right)
# \end{aligned}
# $$
#
# The loss $-\log p_y$ depends on $p_y$ alone, so the chain rule has one term:
#
# $$
# \begin{aligned}
# \frac{\partial \mathcal{L}}{\partial z_j}
# &= \frac{\partial \mathcal{L}}{\partial p_y} \,
#   \frac{\partial p_y}{\partial z_j} \\
# &= -\frac{1}{p_y} \, \frac{\partial p_y}{\partial z_j} \\
# &= -\frac{1}{p_y} \, p_y \left( \mathbb{1}[y = j] - p_j \right) \\
# &= -\left( \mathbb{1}[y = j] - p_j \right) \\
# &= p_j - \mathbb{1}[j = y]
# \end{aligned}
# $$
#
# The factor $1 / p_y$ meets $p_y$ and is gone. The `nan` of Section 6 arose
# because the composition computes the two one after the other, and the first
# overflows.
#
# Now the numbers, for one example. We compute both roads and ask autograd. As a
# matrix the Jacobian is $\operatorname{diag}(p) - p p^\top$. The second road
# multiplies it from the left by the row $\partial \mathcal{L} / \partial p$,
# which is $-1 / p_y$ at the target and 0 elsewhere.


# %%
def gradient_by_hand(logits, targets):
    return softmax_stable(logits) - F.one_hot(targets, logits.shape[-1])


def gradient_by_autograd(logits, targets):
    leaf = logits.clone().requires_grad_()
    F.cross_entropy(leaf, targets).backward()
    return leaf.grad


by_hand = gradient_by_hand(logits, target)
by_autograd = gradient_by_autograd(logits, target)

probs = softmax_stable(logits)
jacobian = torch.diag(probs) - torch.outer(probs, probs)
dprobs = -F.one_hot(target, 3) / probs[target]
by_jacobian = dprobs @ jacobian

print(by_hand)
cmp("by hand", by_hand, by_autograd)
cmp("by Jacobian", by_jacobian, by_autograd)

# %% [markdown]
# On the batch the same function disagrees with autograd. Look at the quotient
# of the two.

# %%
by_hand = gradient_by_hand(batch, targets)
by_autograd = gradient_by_autograd(batch, targets)
cmp("without 1/N", by_hand, by_autograd)
print(by_hand / by_autograd)

# %% [markdown]
# Every entry is too large by the factor 2, which is $N$. The loss of the batch
# is a *mean* over examples $n'$. The logits of row $n$ occur in
# $\mathcal{L}^{(n)}$ only, so the factor $1/N$ stays in front of each row's
# gradient:
#
# $$
# \begin{aligned}
# \frac{\partial}{\partial z^{(n)}_j} \, \frac{1}{N} \sum_{n'} \mathcal{L}^{(n')}
# &= \frac{1}{N} \sum_{n'} \frac{\partial \mathcal{L}^{(n')}}{\partial z^{(n)}_j} \\
# &= \frac{1}{N} \, \frac{\partial \mathcal{L}^{(n)}}{\partial z^{(n)}_j} \\
# &= \frac{1}{N} \left( p^{(n)}_j - \mathbb{1}[j = y_n] \right)
# \end{aligned}
# $$
#
# In exact arithmetic the factor is exactly $N$. For a single example it is 1,
# so a test with one example cannot find this mistake.


# %%
def gradient_of_mean(logits, targets):
    return gradient_by_hand(logits, targets) / targets.numel()


print(gradient_of_mean(batch, targets))
cmp("with 1/N", gradient_of_mean(batch, targets), by_autograd)

# %% [markdown]
# What do sign and size say? Take one example; in a batch, everything is divided
# by $N$. Training steps *against* the gradient.
#
# - The target's entry is $p_y - 1 = -(1 - p_y)$, negative. A step raises the
#   target's logit, by more the less probable the target was.
# - Every other entry is $p_j$, positive. A step lowers each wrong logit, in
#   proportion to the probability it was given.
# - The row sums to 0, because $\sum_j p_j - 1 = 0$. The logits of the others
#   fall by as much in total as the target's logit rises. So the target's entry
#   is as large in size as all others together.
#
# This answers the first prediction: one negative entry, two positive ones,
# sum 0.
#
# The size follows $1 - p_y$, not the loss. As $p_y$ goes to 0 the loss grows
# without bound, while no entry is ever larger than 1 in size.

# %%
gradient = gradient_by_hand(logits, target)
print(f"target's entry: {gradient[0]:.4f}")
print(f"-(1 - p_y): {-(1 - probs[0]):.4f}")
print(f"others together: {gradient[1:].sum():.4f}")

# %% [markdown]
# One sentence is often said about this step, and it is not true in general:
# "the probability of every wrong class goes down". Their *logits* go down. But
# probabilities share a sum of 1. When one confident wrong class loses much, the
# others share what it lost, and other wrong classes are among them. Below,
# class 1 is confidently wrong and class 0 is the target. Watch class 2 in a
# step of 0.1: its logit falls, and its probability rises.

# %%
before = torch.tensor([0.0, 3.0, -1.0])
after = before - 0.1 * gradient_by_hand(before, target)
print("logits before:       ", before)
print("logits after:        ", after)
print("probabilities before:", softmax_stable(before))
print("probabilities after: ", softmax_stable(after))

# %% [markdown]
# ## 8. Temperature
#
# A *temperature* $T > 0$ divides the logits before softmax. Every gap shrinks
# or grows by the same factor:
#
# $$
# p_i(T) = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}, \qquad
# \frac{p_i(T)}{p_j(T)} = e^{(z_i - z_j) / T}
# $$
#
# The order of the classes stays for every $T$. Only the contrast changes.
#
# The code shifts first and divides afterwards. Then the largest logit is 0,
# and 0 divided by any $T$ is 0. The other order can overflow: in float16,
# $10 / 0.0001$ is `inf`. The code also refuses a $T$ that is negative,
# infinite, or below $2^{-126}$<!-- = torch.finfo(torch.float32).tiny -->, the smallest normal float32. With $T = 0$ it
# would compute 0 / 0 and return `nan`, and a negative $T$ would turn the order
# round.


# %%
def softmax_temperature(logits, T=1.0, dim=-1):
    if not 2**-126 <= T < math.inf:
        raise ValueError(
            f"T must be at least 2**-126 and finite; got {T}. As T goes to 0, "
            "softmax goes to an equal share for each of the largest logits."
        )
    shifted = (logits - logits.amax(dim, keepdim=True)) / T
    exps = shifted.exp()
    return exps / exps.sum(dim, keepdim=True)


half = torch.tensor([10.0, 9.0], dtype=torch.float16)
print("divide, then shift:", softmax_stable(half / 1e-4))
print("shift, then divide:", softmax_temperature(half, T=1e-4))
try:
    softmax_temperature(half, T=0)
except ValueError as error:
    print(str(error).replace(". ", ".\n"))

# %% [markdown]
# How spread out is a prediction? The *entropy* measures it, in nats like the
# loss. It is 0 when one class has everything and $\log V$ when all are equal:
#
# $$H(p) = -\sum_i p_i \log p_i$$
#
# A class of probability 0 adds 0, the limit of $p \log p$. In floats
# $0 \cdot (-\infty)$ is `nan`, so the code puts 0 in the place of that
# logarithm.
#
# We take four logits and six temperatures. $T = 1$ is plain softmax. Expect one
# class to win at the top of the table, and the rows to level out downwards.


# %%
def entropy(logits, dim=-1):
    log_probs = log_softmax(logits, dim)
    probs = log_probs.exp()
    return -(probs * log_probs.where(probs != 0, 0)).sum(dim)


four = torch.tensor([2.0, 1.0, 0.5, 0.1])
temperatures = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0]

print("   T   class 0  class 1  class 2  class 3  entropy")
for T in temperatures:
    row = "  ".join(f"{p:7.4f}" for p in softmax_temperature(four, T))
    print(f"{T:4}   {row}  {entropy(four / T):7.4f}")

# %% [markdown]
# At $T = 0.1$ the first class has all but 0.00005<!-- = 1 - torch.softmax(torch.tensor([20.0, 10, 5, 1]).double(), 0)[0] --> of the probability; the zeros
# in that row are rounded for print. At $T = 10$ the row is on its way to 0.25
# each, from 0.2784 down to 0.2302. "High temperature" is easily taken for
# uniform, so look at $T = 5$: the first class is still $e^{1.9 / 5} = 1.46$
# times as probable as the last.
#
# The same rows as bars, one panel for each temperature:

# %% alt="Six panels of bars: the probabilities of the four classes at T = 0.1, 0.5, 1, 2, 5 and 10. The first bar falls from 1.00 over 0.57 at T = 1 to 0.28, and the others rise to meet it."
figure, axes = plt.subplots(2, 3, sharex=True, sharey=True, figsize=(6, 3.8))
for ax, T in zip(axes.flat, temperatures, strict=True):
    probs = softmax_temperature(four, T)
    bars = ax.bar(range(4), probs.tolist(), color="tab:blue")
    ax.bar_label(bars, fmt="%.2f", padding=2)
    ax.set_title(f"T = {T:g}", loc="left", weight="bold")
    ax.set_ylim(0, 1.25)
    ax.set_xticks(range(4))
for ax in axes[-1]:
    ax.set_xlabel("class")
for ax in axes[:, 0]:
    ax.set_ylabel("probability")
figure.tight_layout()
plt.show()

# %% [markdown]
# The entropy rises along the way, from near 0 towards $\log 4 = 1.3863$, the
# dashed line. The points are the six temperatures of the panels.

# %% alt="Entropy against the temperature on a logarithmic axis: it rises from near 0 at T = 0.1 over 1.12 at T = 1 towards a dashed line at log 4."
grid = torch.logspace(-1, 1, 100)
curve = torch.stack([entropy(four / T) for T in grid])
points = [entropy(four / T).item() for T in temperatures]

figure, ax = plt.subplots(figsize=(6, 3.4))
ax.axhline(torch.tensor(4.0).log().item(), color="tab:gray", linestyle="--", linewidth=1)
ax.text(0.1, 1.27, "log 4", color="tab:gray")
ax.plot(grid.tolist(), curve.tolist(), color="tab:blue")
ax.plot(temperatures, points, "o", color="tab:blue")
ax.set_xscale("log")
ax.set_xticks(temperatures, [f"{T:g}" for T in temperatures])
ax.minorticks_off()
ax.set_xlabel("temperature T (logarithmic scale)")
ax.set_title("entropy (nats)", loc="left")
ax.grid(axis="y")
figure.tight_layout()
plt.show()

# %% [markdown]
# The shift shows both limits. With $z_{\max} = \max_k z_k$ as before,
#
# $$
# p_i(T) = \frac{e^{(z_i - z_{\max}) / T}}{\sum_j e^{(z_j - z_{\max}) / T}}
# $$
#
# **$T \to 0$.** A class at the maximum has $e^{0 / T} = 1$ for every $T$. A
# class below it has a negative exponent that goes to $-\infty$, so its term
# goes to 0. The sum goes to the number of classes that share the maximum. So
# softmax goes to *equal shares for all classes that share the maximum*, and
# to one-hot only if there is no tie.
#
# **$T \to \infty$.** Every exponent goes to 0 and every term to 1. Softmax
# goes to $1 / V$ for each of the $V$ classes.
#
# We test with two classes that tie at the top.

# %%
tie = torch.tensor([1.0, 2.0, 2.0])
print("T = 0.001:  ", softmax_temperature(tie, T=0.001))
print("T = 1000000:", softmax_temperature(tie, T=1000000))

# %% [markdown]
# ## 9. What was verified
#
# The last cell asks everything again. Each line is a named statement, computed
# now from the functions above: on the examples of this notebook, and on 1,000
# random rows of 27 logits. If one of them does not hold, the cell fails.
#
# The comparison is in float64, where eps is $2.2 \cdot 10^{-16}$<!-- = torch.finfo(torch.float64).eps -->, and "equal"
# means that no difference is above $10^{-12}$. Only the checks of overflow and
# of the third form run in float32, where the effects appear.


# %%
held = []


def check(name, *statements):
    held.append(all(statements))
    print("ok    " if held[-1] else "FAILED", name)


def equal(mine, theirs):
    return (mine - theirs).abs().max().item() <= 1e-12


def agree(mine, theirs):
    return all(equal(mine(z, y), theirs(z, y)) for z, y in examples)


def losses_by_torch(logits, targets):
    return F.cross_entropy(logits, targets, reduction="none")


torch.manual_seed(14)
rows = 5 * torch.randn(1000, 27, dtype=torch.float64)
truths = torch.randint(27, (1000,))
examples = [
    (logits.double(), target),
    (batch.double(), targets),
    (rows, truths),
]

p = softmax_stable(rows)
check(
    "softmax rows sum to 1",
    equal(p.sum(-1), torch.ones(1000)),
)
check(
    "the order stays, and log-odds are the gaps between logits",
    torch.equal(p.argsort(-1), rows.argsort(-1)),
    equal((p[:, :1] / p).log(), rows[:, :1] - rows),
)
check(
    "adding 100 to every logit changes nothing",
    equal(softmax_stable(rows + 100), p),
)
check(
    "on large logits the naive softmax is nan, the stable one is not",
    bool(softmax_naive(large).isnan().all()),
    torch.equal(softmax_stable(large), softmax_stable(small)),
)
check(
    "all three forms of the loss equal F.cross_entropy",
    agree(cross_entropy_manual, losses_by_torch),
    agree(cross_entropy_log, losses_by_torch),
    agree(cross_entropy_third, losses_by_torch),
)

sizes = range(1, 101)
equal_logits = [torch.zeros(V, dtype=torch.float64) for V in sizes]
flat = torch.stack([cross_entropy_log(z, target) for z in equal_logits])
check(
    "equal logits cost log V, for V = 1 to 100",
    equal(flat, torch.tensor(sizes, dtype=torch.float64).log()),
)

pair = torch.tensor([20.0, 0.0])
truth = torch.tensor(-20.0, dtype=torch.float64).exp().log1p()
third = cross_entropy_third(pair, target).double()
check(
    "at a gap of 20 F.cross_entropy is 0, the third form is right",
    F.cross_entropy(pair, target).item() == 0,
    abs(third / truth - 1).item() < 3e-6,
)

dlogits = gradient_by_hand(rows, truths)
target_entries = dlogits.gather(-1, truths.unsqueeze(-1))
check(
    "the gradient with 1/N equals autograd",
    agree(gradient_of_mean, gradient_by_autograd),
)
check(
    "the gradient without 1/N is N times too large",
    equal(dlogits, 1000 * gradient_by_autograd(rows, truths)),
)
check(
    "gradient rows sum to 0, the target's entry is -(1 - p_y)",
    equal(dlogits.sum(-1), torch.zeros(1000)),
    equal(target_entries, p.gather(-1, truths.unsqueeze(-1)) - 1),
)

spread = torch.stack([entropy(rows / T) for T in temperatures])
check(
    "the entropy rises with the temperature",
    bool((spread.diff(dim=0) > 0).all()),
)

cold = softmax_temperature(tie.double(), T=1e-3)
hot = softmax_temperature(tie.double(), T=1e13)
check(
    "T to 0: equal shares for ties; T to infinity: 1/V",
    equal(cold, torch.tensor([0.0, 0.5, 0.5])),
    equal(3 * hot, torch.ones(3)),
)

print(f"{sum(held)} of {len(held)} checks hold")
if not all(held):
    raise AssertionError("a check failed")
