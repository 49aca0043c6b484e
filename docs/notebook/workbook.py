# ---
# jupyter:
#   description: Eleven functions with blanks to fill in, from the log-odds of two classes to a vocabulary in shards, each checked as soon as it is written.
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
# # Workbook
#
# **Can I write it myself?** Eleven functions lead from the log-odds of two
# classes to the log-sum-exp of a vocabulary in shards. Make each prediction
# first, write the function, and run the check below it: it says that the
# function is right, or shows the smallest input on which it is not, what came,
# what was expected, and which idea it breaks.
#
# You need the package, and Jupyter: `pip install -c constraints.txt . jupyterlab` in a clone of
# the project, then `jupyter lab`. Put your lines in the place of each
# `raise NotImplementedError()`. [Practice](../practice.md) has hints for every
# function, and the same ladder for a plain file.

# %%
import math

import torch
import torch.nn.functional as F

from softmax_ce import check

# %% [markdown]
# ## 1. Log-odds
#
# The *odds* of class $i$ against class $j$ are $p_i / p_j$. Their logarithm is
# the gap between two logits:
#
# $$
# \log \frac{p_i}{p_j} = z_i - z_j
# $$
#
# Write it for logits of shape `(V,)`. [Softmax](../softmax.md#derivation-from-log-odds)
# starts from here.
#
# **Predict:** computed as the left side stands, what are the log-odds of the
# logits `[1000.0, 0.0]`?


# %% nbgrader={"grade": false, "grade_id": "log_odds", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_odds(logits, i, j):
    ### BEGIN SOLUTION
    return logits[i] - logits[j]
    ### END SOLUTION


# %%
check.log_odds(log_odds)

# %% [markdown]
# ## 2. Softmax, as it is defined
#
# Exponentials are positive, and divided by their sum they sum to 1:
#
# $$
# p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}
# $$
#
# Write it for logits of shape `(V,)` that are not large. `dim` is the dimension
# of the classes. [Softmax](../softmax.md#code) has the code.
#
# **Predict:** all logits are equal. What does each class get?


# %% nbgrader={"grade": false, "grade_id": "softmax_naive", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_naive(logits, dim=-1):
    ### BEGIN SOLUTION
    exps = logits.exp()
    return exps / exps.sum(dim, keepdim=True)
    ### END SOLUTION


# %%
check.softmax_naive(softmax_naive)

# %% [markdown]
# ## 3. Softmax, for logits of any size
#
# In float32 the exponential of `90.0` is `inf`, and `inf / inf` is `nan`. Subtract
# the largest logit first, which changes no probability:
#
# $$
# p_i = \frac{e^{z_i - \max_k z_k}}{\sum_j e^{z_j - \max_k z_k}}
# $$
#
# A logit of −inf gets probability 0. [Stability](../stability.md#derivation-the-shift-changes-nothing)
# shows why.
#
# **Predict:** on which logits, all of them negative, does the definition fail?


# %% nbgrader={"grade": false, "grade_id": "softmax_stable", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_stable(logits, dim=-1):
    ### BEGIN SOLUTION
    shifted = logits - logits.amax(dim, keepdim=True)
    exps = shifted.exp()
    return exps / exps.sum(dim, keepdim=True)
    ### END SOLUTION


# %%
check.softmax_stable(softmax_stable)

# %% [markdown]
# ## 4. Softmax of a batch
#
# Each row is a distribution of its own. The classes are the last dimension,
# however many stand before it: logits of shape `(..., V)`.
#
# $$
# p^{(n)}_i = \frac{e^{z^{(n)}_i}}{\sum_j e^{z^{(n)}_j}}
# $$
#
# The maximum of a row is its own, too. If the last function does all that, it may
# pass as it is; the [clinic](../clinic.md#wrong-dim) has what goes wrong.
#
# **Predict:** one maximum is subtracted from the whole batch. Which rows come out
# wrong?


# %% nbgrader={"grade": false, "grade_id": "softmax_batched", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_batched(logits):
    ### BEGIN SOLUTION
    shifted = logits - logits.amax(-1, keepdim=True)
    exps = shifted.exp()
    return exps / exps.sum(-1, keepdim=True)
    ### END SOLUTION


# %%
check.softmax_batched(softmax_batched)

# %% [markdown]
# ## 5. Log-sum-exp
#
# The logarithm of the denominator, one number for each row of logits of shape
# `(..., V)`. What the shift takes away has to be added again:
#
# $$
# \operatorname{LSE}(z) = \max_k z_k + \log \sum_j e^{z_j - \max_k z_k}
# $$
#
# A row of −inf alone is an empty sum, whose logarithm is −inf.
# [Gradient](../gradient.md#first-road-the-log-sum-exp) needs it.
#
# **Predict:** what is its derivative by $z_j$?


# %% nbgrader={"grade": false, "grade_id": "logsumexp", "locked": false, "schema_version": 3, "solution": true, "task": false}
def logsumexp(logits, dim=-1):
    ### BEGIN SOLUTION
    top = logits.amax(dim, keepdim=True)
    top = top.where(top.isfinite(), 0)
    return top.squeeze(dim) + (logits - top).exp().sum(dim).log()
    ### END SOLUTION


# %%
check.logsumexp(logsumexp)

# %% [markdown]
# ## 6. Cross-entropy
#
# The loss of an example is minus the logarithm of the probability of its target:
#
# $$
# \mathcal{L}^{(n)} = -\log p^{(n)}_{y_n}
# $$
#
# Return the mean over a batch: logits of shape `(N, V)`, targets of shape `(N,)`.
# An example whose target equals `ignore_index` counts for nothing, neither in the
# sum nor in the number that divides it. Form no probability: one that underflows
# to 0 has the logarithm −inf. The sources are
# [Cross-entropy](../cross-entropy.md#derivation-from-likelihood-to-loss) and, for
# targets that do not count, [Language model](../language-model.md#padding).
#
# **Predict:** what is the loss of a model that gives every class the same logit?


# %% nbgrader={"grade": false, "grade_id": "cross_entropy", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy(logits, targets, ignore_index=-100):
    ### BEGIN SOLUTION
    counted = targets != ignore_index
    index = targets.where(counted, 0).unsqueeze(-1)
    shifted = logits - logits.amax(-1, keepdim=True)
    log_probs = shifted - shifted.exp().sum(-1, keepdim=True).log()
    losses = -log_probs.gather(-1, index).squeeze(-1)
    return losses.where(counted, 0).sum() / counted.sum()
    ### END SOLUTION


# %%
check.cross_entropy(cross_entropy)

# %% [markdown]
# ## 7. Backward, node by node
#
# The lines that are there compute the loss in steps. Go back through them, from
# the loss to the logits, with three rules. Through an operation, multiply by its
# derivative. Where two arrows leave a node, add what comes back through both.
# Where one number went to all entries of a row, sum over the row.
#
# Return eight gradients in this order: `dlogprobs`, `dprobs`, `dcounts_sum_inv`,
# `dcounts_sum`, `dcounts`, `dnorm_logits`, `dlogit_maxes`, `dlogits`.
# [Gradient](../gradient.md#third-road-node-by-node) walks this road.
#
# **Predict:** what is the gradient at `logit_maxes`?


# %% nbgrader={"grade": false, "grade_id": "backward_by_hand", "locked": false, "schema_version": 3, "solution": true, "task": false}
def backward_by_hand(logits, targets):
    N, V = logits.shape
    rows = torch.arange(N)
    logit_maxes, top = logits.max(1, keepdim=True)
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[rows, targets].mean()
    ### BEGIN SOLUTION
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[rows, targets] = -1 / N
    dprobs = dlogprobs / probs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv
    dcounts = counts_sum_inv * dprobs + dcounts_sum
    dnorm_logits = counts * dcounts
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
    dlogits = dnorm_logits + F.one_hot(top.squeeze(1), V) * dlogit_maxes
    nodes = [dlogprobs, dprobs, dcounts_sum_inv, dcounts_sum, dcounts]
    return [*nodes, dnorm_logits, dlogit_maxes, dlogits]
    ### END SOLUTION


# %%
check.backward_by_hand(backward_by_hand)

# %% [markdown]
# ## 8. The gradient in closed form
#
# All that, in one line: prediction minus truth.
#
# $$
# \frac{\partial \mathcal{L}}{\partial z_j} = p_j - \mathbb{1}[j = y]
# $$
#
# The loss of a batch is a mean, so each row is divided by the number of examples
# that count; the others get 0. Write it without autograd.
# [Gradient](../gradient.md#code-the-closed-form) has three roads to it.
#
# **Predict:** what do the entries of a row sum to?


# %% nbgrader={"grade": false, "grade_id": "cross_entropy_softmax_gradient", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy_softmax_gradient(logits, targets, ignore_index=-100):
    ### BEGIN SOLUTION
    counted = (targets != ignore_index).unsqueeze(-1)
    index = targets.unsqueeze(-1).where(counted, 0)
    exps = (logits - logits.amax(-1, keepdim=True)).exp()
    probs = exps / exps.sum(-1, keepdim=True)
    truth = torch.zeros_like(probs).scatter(-1, index, 1)
    return (probs - truth).where(counted, 0) / counted.sum()
    ### END SOLUTION


# %%
check.cross_entropy_softmax_gradient(cross_entropy_softmax_gradient)

# %% [markdown]
# ## 9. The third form
#
# Where the model is right and certain, $\log p_y$ is the logarithm of a number
# that rounds to 1. The log-odds $m$ of “not $y$” keep all digits:
#
# $$
# \begin{aligned}
# m &= \operatorname{LSE}_{j \ne y}(z_j) - z_y \\
# \mathcal{L} &= \operatorname{softplus}(m)
# \end{aligned}
# $$
#
# Return one loss for each row of logits of shape `(N, V)`. Leave the target out
# of the log-sum-exp, and do not form $1 + e^m$.
# [Cross-entropy](../cross-entropy.md#derivation-from-likelihood-to-loss) derives the
# form, [Accuracy](../accuracy.md#derivation-where-a-form-loses-the-loss) says what it is
# good for.
#
# **Predict:** two classes in float32, and the target leads by `20.0`. What does
# `F.cross_entropy` return?


# %% nbgrader={"grade": false, "grade_id": "cross_entropy_third_form", "locked": false, "schema_version": 3, "solution": true, "task": false}
def cross_entropy_third_form(logits, targets):
    ### BEGIN SOLUTION
    index = targets.unsqueeze(-1)
    gaps = logits - logits.gather(-1, index)
    m = gaps.scatter(-1, index, -torch.inf).logsumexp(-1)
    return torch.logaddexp(m, torch.zeros_like(m))
    ### END SOLUTION


# %%
check.cross_entropy_third_form(cross_entropy_third_form)

# %% [markdown]
# ## 10. Temperature
#
# A temperature divides the logits. Shift first, and divide afterwards:
#
# $$
# p_i(T) = \frac{e^{(z_i - \max_k z_k) / T}}{\sum_j e^{(z_j - \max_k z_k) / T}}
# $$
#
# Raise an error, a `ValueError` best, where $T$ is negative. At 0 and at infinity do so, too, or
# return the limit: [Temperature](../temperature.md#derivation-the-odds-and-the-two-limits)
# derives both.
#
# **Predict:** $T$ goes to 0, and two logits share the maximum. Which class wins?


# %% nbgrader={"grade": false, "grade_id": "softmax_temperature", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax_temperature(logits, T=1.0, dim=-1):
    ### BEGIN SOLUTION
    if not 2**-126 <= T < math.inf:
        raise ValueError(
            f"T must be at least 2**-126 and finite; got {T}. As T goes to 0, "
            "softmax goes to an equal share for each of the largest logits."
        )
    shifted = (logits - logits.amax(dim, keepdim=True)) / T
    exps = shifted.exp()
    return exps / exps.sum(dim, keepdim=True)
    ### END SOLUTION


# %%
check.softmax_temperature(softmax_temperature)

# %% [markdown]
# ## 11. A vocabulary in shards
#
# Two machines hold a part of the classes each, and know the log-sum-exp of their
# part, $s$ and $t$. Merge them:
#
# $$
# \operatorname{LSE}(z) = \max(s, t) + \log \left(1 + e^{-\lvert s - t \rvert}\right)
# $$
#
# A part without classes has −inf. Both arguments have one shape, a number for
# each row; [Language model](../language-model.md#a-vocabulary-in-shards) needs it.
#
# **Predict:** both parts are empty. What does the formula give?


# %% nbgrader={"grade": false, "grade_id": "merge_logsumexp", "locked": false, "schema_version": 3, "solution": true, "task": false}
def merge_logsumexp(first, second):
    ### BEGIN SOLUTION
    top, rest = (a.where(first >= second, b) for a, b in ((first, second), (second, first)))
    gap = (rest - top).where(top.isfinite() | (rest != top), 0)  # two infinities have no gap
    return top + gap.exp().log1p()
    ### END SOLUTION


# %%
check.merge_logsumexp(merge_logsumexp)
