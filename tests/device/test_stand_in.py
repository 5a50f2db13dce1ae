"""The stand-in device catches a planted mistake of each class, lets right code pass, and leaves torch as it was."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.device.stand_in import stand_in


class Network(nn.Module):
    """A layer and a buffer, and perhaps a mistake between them."""

    def __init__(self, mistake: str = ""):
        super().__init__()
        self.layer, self.mistake = nn.Linear(4, 3), mistake
        self.register_buffer("scale", torch.ones(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layer(x) * self.scale
        if self.mistake == "default device":
            y = y + torch.ones(3)
        if self.mistake == "in place":
            y = torch.zeros(2, 3).add_(y)
        if self.mistake == "from NumPy":
            y = y * torch.from_numpy(np.ones(3, np.float32))
        return y


@pytest.mark.parametrize("mistake", ["default device", "in place", "from NumPy"])
def test_a_tensor_made_on_the_default_device_is_refused(device, mistake):
    model, x = Network(mistake).to("cuda"), torch.ones(2, 4, device="cuda")
    with pytest.raises(RuntimeError, match="two devices, cuda:0 and cpu"):
        model(x)
    Network(mistake)(torch.ones(2, 4))  # on the CPU it is no mistake


def test_mixed_devices_are_refused(device):
    model = Network().to("cuda")
    with pytest.raises(RuntimeError, match="same device"):
        model(torch.ones(2, 4))
    y = model(torch.ones(2, 4).to("cuda"))
    with pytest.raises(RuntimeError, match="same device"):
        nn.functional.cross_entropy(y, torch.tensor([0, 1]))
    with pytest.raises(RuntimeError, match="same device"):
        torch.cat([y, torch.ones(2, 3)])
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(5, 3)[y.argmax(1)]  # an index on the device, of a tensor on the CPU
    with pytest.raises(RuntimeError, match="same device"):
        y[torch.tensor([0])] = torch.ones(1, 3)
    with pytest.raises(RuntimeError, match="same device"):
        y.index_select(0, torch.tensor([0]))


@pytest.mark.parametrize("read", [lambda y: y.detach().numpy(), lambda y: np.asarray(y.detach()), np.sqrt])
def test_a_tensor_of_the_device_does_not_become_an_array(device, read):
    y = torch.ones(2, 3, device="cuda")
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        read(y)
    assert y.cpu().numpy().sum() == 6


def test_right_code_passes_and_says_where_its_tensors_are(device):
    model, x = Network().to("cuda"), torch.ones(2, 4).to("cuda", non_blocking=True)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    before = model.layer.weight.cpu().clone()
    with torch.autocast("cuda", torch.bfloat16):
        loss = nn.functional.cross_entropy(model(x).float() * 2.0, torch.tensor([0, 1]).to(x.device))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    tensors = [*model.parameters(), model.scale, model.layer.weight.grad, loss, copy.deepcopy(model).layer.weight]
    tensors += [copy.deepcopy(model.state_dict())["scale"], x[torch.tensor([0])], x.double(), torch.zeros_like(x)]
    tensors += [torch.ones(2).to(x), torch.ones(2).cuda(), x[:1], x.new_zeros(3), *x.chunk(2)]
    assert all(t.device.type == "cuda" and t.is_cuda and not t.is_cpu for t in tensors)
    assert not torch.equal(before, model.cpu().layer.weight)
    assert all(t.device.type == "cpu" for t in [*model.parameters(), model.scale, before])
    model.load_state_dict(copy.deepcopy(model).to("cuda").state_dict())
    assert model.layer.weight.device.type == "cpu"


def test_what_makes_the_cpu_wait_is_counted(device):
    x = torch.ones(3).to("cuda", non_blocking=True)
    y = (x * 2).sum()[None]
    assert device.waits == []
    for wait in (lambda: y.item(), lambda: bool(y > 0), lambda: y.tolist(), lambda: x[x > 0], lambda: x.cpu()):
        device.waits.clear()
        wait()
        assert device.waits
    device.waits.clear()
    torch.ones(3).to("cuda")  # waits until the copy has arrived
    assert device.waits == ["to(cuda)"]


def test_mps_has_no_numbers_of_64_bits():
    with stand_in("mps") as device:
        x = torch.ones(3, device="mps")
        assert x.device == device.device and torch.backends.mps.is_available()
        for double in (lambda: x.double(), lambda: torch.ones(3, dtype=torch.float64).to("mps")):
            with pytest.raises(TypeError, match="float64"):
                double()


def test_afterwards_torch_is_as_it_was():
    before = (torch.cuda.is_available, torch.autocast.__init__, torch.backends.mps.is_available)
    with stand_in():
        assert torch.cuda.is_available() and torch.ones(1, device="cuda").is_cuda
    assert before == (torch.cuda.is_available, torch.autocast.__init__, torch.backends.mps.is_available)
    assert torch.ones(1).device.type == "cpu"
