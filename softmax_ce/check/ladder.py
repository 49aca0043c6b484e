"""The rungs, in the order in which they are climbed."""

from softmax_ce.check.gradient import backward_by_hand, cross_entropy_softmax_gradient
from softmax_ce.check.loss import cross_entropy, cross_entropy_third_form
from softmax_ce.check.softmax import (
    log_odds,
    logsumexp,
    merge_logsumexp,
    softmax_batched,
    softmax_naive,
    softmax_stable,
)
from softmax_ce.check.temperature import softmax_temperature

LADDER = {
    rung.name: rung
    for rung in (
        log_odds,
        softmax_naive,
        softmax_stable,
        softmax_batched,
        logsumexp,
        cross_entropy,
        backward_by_hand,
        cross_entropy_softmax_gradient,
        cross_entropy_third_form,
        softmax_temperature,
        merge_logsumexp,
    )
}
