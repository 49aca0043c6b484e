import pytest
import torch
from hypothesis import settings

settings.register_profile("mathematics", deadline=None, max_examples=50)  # a busy machine is no bug
settings.load_profile("mathematics")


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"])
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)
