"""The ideas of the ladder and the mistakes that it knows, each in a sentence, each with its place.

A key names what a message is about; the mutants in the tests are tagged with it.
"""

from softmax_ce.check.idea import Lesson

ODDS = ("softmax.md", "Derivation: from log-odds", "derivation-from-log-odds")
SOFTMAX = ("softmax.md", "Code", "code")
KEEPS = ("softmax.md", "What it keeps, and what it loses", "what-it-keeps-and-what-it-loses")
EXP_ENDS = ("stability.md", "Code: where exp ends", "code-where-exp-ends")
FAILURES = (
    "stability.md",
    "Code: four failures of the naive form",
    "code-four-failures-of-the-naive-form",
)
SHIFT = (
    "stability.md",
    "Derivation: the shift changes nothing",
    "derivation-the-shift-changes-nothing",
)
MASKS = ("stability.md", "Rows of −inf: masks", "rows-of-inf-masks")
BATCHES = ("stability.md", "What goes wrong", "what-goes-wrong")
WRONG_DIM = ("clinic.md", "The rows of softmax do not sum to 1", "wrong-dim")
DOUBLE = ("clinic.md", "The loss sticks at 1.46", "double-softmax")
LOG_ZERO = ("clinic.md", "inf, then nan", "log-of-zero")
CAP = ("clinic.md", "The loss never exceeds 18.42", "epsilon-cap")
SHAPE = (
    "clinic.md",
    '"multi-target not supported", "class probabilities, got Long"',
    "target-shape",
)
BOUNDS = ("clinic.md", '"Target 3 is out of bounds."', "out-of-bounds")
IGNORED = ("language-model.md", "Padding", "padding")
SHARDS = ("language-model.md", "A vocabulary in shards", "a-vocabulary-in-shards")
LIKELIHOOD = (
    "cross-entropy.md",
    "Derivation: from likelihood to loss",
    "derivation-from-likelihood-to-loss",
)
UNITS = ("cross-entropy.md", "Nats, bits, perplexity", "nats-bits-perplexity")
THIRD = LIKELIHOOD
ENDS = (
    "accuracy.md",
    "Derivation: where a form loses the loss",
    "derivation-where-a-form-loses-the-loss",
)
OFFSETS = ("accuracy.md", "What goes wrong", "what-goes-wrong")
LSE_ROAD = ("gradient.md", "First road: the log-sum-exp", "first-road-the-log-sum-exp")
NODES = ("gradient.md", "Third road: node by node", "third-road-node-by-node")
CLOSED = ("gradient.md", "Code: the closed form", "code-the-closed-form")
MEAN = ("gradient.md", "What goes wrong", "what-goes-wrong")
LIMITS = (
    "temperature.md",
    "Derivation: the odds, and the two limits",
    "derivation-the-odds-and-the-two-limits",
)
TEMPERATURE = ("temperature.md", "What goes wrong", "what-goes-wrong")

gap = Lesson("gap", "The log-odds of two classes are the gap between their logits.", *ODDS)
odds = Lesson(
    "odds", "These are the odds, how many times as probable; their logarithm was asked for.", *ODDS
)
swapped = Lesson(
    "swapped", "The sign is turned: the odds of i against j have p_i above and p_j below.", *ODDS
)
off_by_one = Lesson("off-by-one", "Classes count from 0: this takes the class beside it.", *BOUNDS)
difference = Lesson(
    "difference", "Odds are a quotient of probabilities; this subtracts one from the other.", *ODDS
)
against_rest = Lesson(
    "against-rest", "These are the odds of i against all other classes, not against j.", *ODDS
)
bits = Lesson("bits", "This logarithm has base 2, so it counts bits; nats are asked for.", *UNITS)
underflow = Lesson(
    "underflow",
    "A probability may underflow to 0, and its logarithm is then −inf: take no logarithm of "
    "softmax, form the logarithm from the logits.",
    *LOG_ZERO,
)
definition = Lesson(
    "definition", "The exponential of each logit, divided by the sum of the exponentials.", *ODDS
)
linear = Lesson(
    "linear", "The logits are divided by their sum; their exponentials should be.", *ODDS
)
no_division = Lesson(
    "no-division",
    "The exponentials are not divided by their sum yet, so they do not sum to 1.",
    *KEEPS,
)
by_maximum = Lesson(
    "by-maximum",
    "The exponentials are divided by the largest one, as a shift does: divide by their sum, too.",
    *KEEPS,
)
squares = Lesson(
    "squares", "Squares lose the sign of a logit; exponentials keep the order.", *KEEPS
)
sigmoid = Lesson(
    "sigmoid", "A sigmoid looks at each logit alone; the classes share one sum.", *KEEPS
)
base_two = Lesson("base-two", "The base is 2 here; the gap is a natural logarithm, so e.", *ODDS)
negated = Lesson(
    "negated", "The order is turned: a larger logit must get a larger probability.", *KEEPS
)
twice = Lesson(
    "softmax-twice", "Softmax is applied twice: the second takes probabilities for logits.", *DOUBLE
)
logarithm = Lesson(
    "logarithm", "These are logarithms of probabilities; the probabilities are asked for.", *SOFTMAX
)
small_sum = Lesson(
    "small-sum", "The logits may lie anywhere: only the gaps between them count.", *KEEPS
)
epsilon = Lesson(
    "epsilon",
    "A small number is added to be safe, and it changes the answer. After the shift the largest "
    "exponential is 1, and nothing needs to be added; a loss needs no logarithm of a probability.",
    *CAP,
)
float32 = Lesson(
    "float32",
    "Digits of float64 are lost: somewhere inside it becomes float32, or a small number is added. "
    "Compute in the dtype of the logits.",
    *EXP_ENDS,
)
overflow = Lesson(
    "overflow",
    "The exponential of a large logit is inf, and no error is raised: subtract the largest logit "
    "first.",
    *SHIFT,
)
peak = Lesson("peak", "No exponent may exceed 0: the maximum is what to subtract.", *SHIFT)
low = Lesson(
    "low",
    "If every exponential underflows to 0, so does their sum: shift by the maximum, which makes "
    "the largest exponent 0.",
    *FAILURES,
)
mean_shift = Lesson(
    "mean-shift",
    "The mean is subtracted: a logit far above it still overflows. Subtract the maximum.",
    *SHIFT,
)
min_shift = Lesson(
    "min-shift",
    "The minimum is subtracted: every exponent is at least 0, and a large one overflows. "
    "Subtract the maximum.",
    *SHIFT,
)
half_shift = Lesson(
    "half-shift", "Only one side is shifted: numerator and denominator need the same shift.", *SHIFT
)
scaled = Lesson(
    "scaled", "The logits are divided by the maximum, which changes the gaps: subtract it.", *SHIFT
)
clamped = Lesson(
    "clamped",
    "Logits are clamped, which changes the gaps between them: shift them instead.",
    *SHIFT,
)
nan_to_num = Lesson(
    "nan-to-num",
    "The nan is painted over, but the answer behind it is lost: prevent the overflow instead.",
    *SHIFT,
)
mask = Lesson("mask", "A logit of −inf is a mask: it counts as an exponential of 0.", *MASKS)
empty = Lesson(
    "empty",
    "Where all logits are −inf, their maximum is, and −inf minus −inf is nan: shift such a row by "
    "0. The logarithm of an empty sum is −inf.",
    *MASKS,
)
by_row = Lesson(
    "by-row", "Each row of the last dimension is one distribution of its own.", *WRONG_DIM
)
leading = Lesson(
    "leading",
    "Any number of dimensions may stand before the classes: dim=-1 is the last.",
    *WRONG_DIM,
)
wrong_dim = Lesson(
    "wrong-dim",
    "The sum runs over dimension 0, the examples: over the classes is dim=-1.",
    *WRONG_DIM,
)
fixed_dim = Lesson(
    "fixed-dim",
    "The classes are taken to be dimension 1; they are the last one, dim=-1.",
    *WRONG_DIM,
)
whole_batch = Lesson(
    "whole-batch", "The whole batch is summed: each row needs a sum of its own, dim=-1.", *BATCHES
)
keepdim_sum = Lesson(
    "keepdim-sum",
    "The sums lie along the wrong dimension, in silence since the batch is square: "
    "keepdim=True keeps each beside its row.",
    *WRONG_DIM,
)
keepdim_max = Lesson(
    "keepdim-max",
    "The maxima lie along the wrong dimension, in silence since the batch is square: "
    "keepdim=True keeps each beside its row.",
    *WRONG_DIM,
)
global_max = Lesson(
    "global-max",
    "One maximum is subtracted from the whole batch: a row far below it underflows. Each row needs "
    "its own, dim=-1.",
    *BATCHES,
)
far_rows = Lesson("far-rows", "A row's answer does not depend on the rows beside it.", *BATCHES)
lse = Lesson("lse", "The logarithm of the sum of the exponentials, one number a row.", *LSE_ROAD)
not_added_back = Lesson(
    "not-added-back",
    "The maximum is subtracted and not added again: softmax forgets a shift, the log-sum-exp "
    "moves with it.",
    *SHIFT,
)
only_maximum = Lesson(
    "only-maximum", "This is the maximum; the other terms of the sum add to it.", *LSE_ROAD
)
log_mean = Lesson("log-mean", "This is the logarithm of a mean; a sum is asked for.", *LSE_ROAD)
gradient_lse = Lesson(
    "lse-gradient",
    "The value is right and the gradient is not: it must be softmax. Subtract and add the same "
    "maximum, both with detach() or both without.",
    *LSE_ROAD,
)
likelihood = Lesson(
    "likelihood", "The loss is minus the logarithm of the probability of the target.", *LIKELIHOOD
)
mean = Lesson("mean", "The loss of a batch is the mean of the losses of its examples.", *LIKELIHOOD)
sign = Lesson(
    "sign", "The sign is turned: the logarithm of a probability is at most 0.", *LIKELIHOOD
)
no_log = Lesson("no-log", "The logarithm is missing: this is 1 − p_y or −p_y.", *LIKELIHOOD)
raw_logit = Lesson(
    "raw-logit",
    "This is minus the logit of the target; its log-probability is asked for.",
    *LIKELIHOOD,
)
largest = Lesson(
    "largest", "The class with the largest logit is taken; the target is what counts.", *LIKELIHOOD
)
summed = Lesson("no-mean", "1/N is missing: the losses are added, and not divided by N.", *MEAN)
divided_twice = Lesson("divided-twice", "It is divided by N twice: once is the mean.", *MEAN)
by_classes = Lesson(
    "by-classes", "It is divided by N·V, the number of logits: examples are to be counted.", *MEAN
)
all_pairs = Lesson(
    "all-pairs",
    "x[:, targets] takes every target from every row: each row has its own, x[torch.arange(N), "
    "targets].",
    *SHAPE,
)
one_hot_width = Lesson(
    "one-hot-width",
    "F.one_hot(targets) is as wide as the largest target that came: say how many classes there "
    "are, F.one_hot(targets, V).",
    *SHAPE,
)
offset = Lesson(
    "offset",
    "Two large numbers are subtracted and their digits cancel, as in lse − z_y where all logits "
    "are large: shift the logits first.",
    *OFFSETS,
)
detached = Lesson(
    "detached",
    "The value is right and the gradient is not: a piece of the computation is cut off from "
    "autograd, by detach(), item(), NumPy or no_grad.",
    *LSE_ROAD,
)
ignored = Lesson(
    "ignored", "A target of −100 counts for nothing, in the sum and in its divisor.", *IGNORED
)
ignored_above = Lesson(
    "ignored-numerator", "The ignored examples are still in the sum, above the line.", *IGNORED
)
ignored_below = Lesson(
    "ignored-denominator",
    "The ignored examples are still in the divisor: divide by the number of those that count.",
    *IGNORED,
)
any_ignored = Lesson(
    "ignore-index",
    "The targets that do not count are those equal to ignore_index: it is an argument, and need "
    "not be −100.",
    *IGNORED,
)
prediction = Lesson("dlogits", "The gradient is prediction minus truth: p − onehot.", *CLOSED)
one_over_n = Lesson("one-over-n", "The gradient of a mean over N examples has a factor 1/N.", *MEAN)
turned = Lesson("turned", "The sign is turned: prediction minus truth, p − onehot.", *CLOSED)
no_truth = Lesson("no-truth", "The prediction alone: subtract 1 at the target.", *CLOSED)
target_only = Lesson(
    "target-only", "Only the target's logit gets a gradient: every other one gets its p.", *CLOSED
)
third_form = Lesson(
    "third-form",
    "The loss is softplus(m), m the log-sum-exp of the other logits minus the target's.",
    *THIRD,
)
each = Lesson("each", "One loss for each example is asked for, not their mean.", *THIRD)
textbook = Lesson(
    "textbook",
    "The target's own term, 1, is in the sum: beside it the others lose digits, in the end all of "
    "them. Leave the target out, and take softplus(m).",
    *THIRD,
)
no_log1p = Lesson(
    "no-log1p", "1 + e^m loses the digits of a small e^m: log1p does not form the sum.", *THIRD
)
with_target = Lesson(
    "with-target", "The log-sum-exp still has the target in it; m is that of the others.", *THIRD
)
turned_m = Lesson(
    "turned-m", "The sign of m is turned: a larger z_y makes the loss smaller.", *THIRD
)
zero_mask = Lesson(
    "zero-mask", "The target's logit is set to 0, and e^0 = 1 counts: −inf takes it out.", *MASKS
)
others_maximum = Lesson(
    "others-maximum",
    "Only the largest of the other logits is looked at; all of them count.",
    *THIRD,
)
softplus_overflow = Lesson(
    "softplus-overflow",
    "e^m overflows where the model is confidently wrong: softplus(m) is there m itself.",
    *ENDS,
)
relative_gradient = Lesson(
    "sigmoid-gradient",
    "The gradient at the target is −σ(m), with all its digits also where the loss is tiny.",
    *ENDS,
)
temperature = Lesson("temperature", "The logits are divided by T before softmax.", *LIMITS)
multiplied = Lesson(
    "multiplied", "The logits are multiplied by T; they are to be divided.", *LIMITS
)
no_temperature = Lesson("no-temperature", "T changes nothing here.", *LIMITS)
divides_probs = Lesson(
    "divides-probs", "T divides the probabilities here; the logits are to be divided.", *LIMITS
)
unnormalised = Lesson(
    "unnormalised", "The powers p^(1/T) are not divided by their sum yet.", *LIMITS
)
divides_first = Lesson(
    "divides-first",
    "Dividing by a small T overflows before the shift: shift, then divide.",
    *TEMPERATURE,
)
t_epsilon = Lesson(
    "t-epsilon",
    "A small number is added to T, which changes every small temperature.",
    *TEMPERATURE,
)
zero = Lesson(
    "t-zero",
    "T = 0 gives nan: raise a ValueError, or give each of the largest logits an equal share.",
    *TEMPERATURE,
)
negative = Lesson(
    "t-negative",
    "A negative T turns the order round, and a temperature is positive: raise a ValueError.",
    *TEMPERATURE,
)
infinite = Lesson(
    "t-infinite",
    "T = inf makes every exponent 0: raise a ValueError, or give each class 1/V.",
    *LIMITS,
)
ties = Lesson(
    "ties", "As T goes to 0, equal largest logits share equally; argmax picks one.", *TEMPERATURE
)
merged = Lesson("merged", "The log-sum-exp of both parts: log(e^s + e^t).", *SHARDS)
added = Lesson("added", "The two are added: that multiplies the sums of exponentials.", *SHARDS)
averaged = Lesson("averaged", "This is a mean of the two; their exponentials add.", *SHARDS)
no_maximum = Lesson("no-maximum", "The larger of the two is not added back.", *SHARDS)
turned_gap = Lesson(
    "turned-gap", "The exponent is +|s − t|; it should be minus that, at most 0.", *SHARDS
)
first_on_top = Lesson(
    "first-on-top",
    "The first is taken for the larger one; where it is not, the exponential overflows.",
    *SHARDS,
)
empty_shard = Lesson(
    "empty-shard",
    "A shard without classes has −inf, and −inf minus −inf is nan: two empty shards give −inf.",
    *SHARDS,
)
node_logprobs = Lesson(
    "dlogprobs", "Only the target's entry is in the loss, with the factor −1/N.", *NODES
)
node_probs = Lesson("dprobs", "Through log: divide by probs.", *NODES)
node_inverse = Lesson(
    "dcounts_sum_inv",
    "One number went to all entries of a row: sum counts · dprobs over the row.",
    *NODES,
)
node_sum = Lesson("dcounts_sum", "The derivative of 1/s is −1/s².", *NODES)
node_counts = Lesson(
    "dcounts", "Two arrows leave counts: add what comes back through both.", *NODES
)
one_path = Lesson(
    "one-path", "One of the two arrows that leave counts is forgotten: add both.", *NODES
)
node_norm = Lesson("dnorm_logits", "The derivative of exp is exp: multiply by counts.", *NODES)
node_maxes = Lesson(
    "dlogit_maxes", "The maximum was subtracted from its whole row: minus the sum over it.", *NODES
)
node_logits = Lesson("dlogits-node", "A logit gets what its own norm_logit gets.", *NODES)
no_softplus = Lesson(
    "no-softplus", "This is m itself, the log-odds; the loss is softplus(m).", *THIRD
)
node_sign = Lesson(
    "node-sign", "The sign is turned: look at the derivative of this operation.", *NODES
)
no_chain = Lesson(
    "no-chain",
    "The derivative of this operation alone: multiply by what comes from the node after it.",
    *NODES,
)
not_summed = Lesson(
    "not-summed",
    "This node has one number for each row, and its gradient, too: sum over the row, with keepdim.",
    *NODES,
)
raw_logit_gradient = Lesson(
    "raw-logits",
    "The prediction is softmax of the logits; the logits themselves are here.",
    *CLOSED,
)
squared = Lesson("squared", "The logits are divided by T twice; once is asked for.", *LIMITS)
undivided = Lesson(
    "undivided-maximum",
    "The maximum is not divided by T as the logits are: the exponents do not end at 0.",
    *TEMPERATURE,
)
