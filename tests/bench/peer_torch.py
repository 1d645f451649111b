"""The peer of bench_train: PyTorch, and ONNX Runtime where it is installed, told on stdin what to time, a line each:

    load FILE              a network of net_dump() with tensors "input" and "label"
    use WHAT VARIANT N     prepare `train`, `bf16` (training in it) or `infer` in a variant, on N threads; answers ok or why not
    run                    one step or pass; answers "<seconds> <loss or mean output>"
    memory                 answers the peak resident set of this process and what it was before the network, in bytes
    quit
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import torch  # noqa: E402
from support.torch_net import Net, loss_sum  # noqa: E402

TRAIN = ("eager-nchw", "eager-nhwc", "trace-nhwc")
BF16 = ("eager-nchw", "eager-nhwc")
INFER = ("eager-nchw", "eager-nhwc", "freeze-nhwc", "optimized-nchw", "optimized-nhwc", "onnxruntime")


def resident(field):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0


class Peer:
    def load(self, path):
        self.path = path
        self.base = resident("VmHWM")

    def use(self, what, variant, threads):
        torch.set_num_threads(int(threads))
        layout = torch.channels_last if variant.endswith("nhwc") else torch.contiguous_format
        net = Net(self.path)
        x = net.extra["input"].contiguous(memory_format=layout)
        self.call = getattr(self, what)(variant, layout, net, x, int(threads))

    def bf16(self, variant, layout, net, x, threads):
        def rounded(x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return net(x).float()

        return self.train(variant, layout, net, x, threads, rounded)

    def train(self, variant, layout, net, x, threads, forward=None):
        net.train().to(memory_format=layout)
        label = net.extra["label"].contiguous(memory_format=layout)
        weights, others = net.decayed()
        groups = [{"params": weights, "weight_decay": 1e-4}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=1e-3, foreach=True)
        if forward is None:
            forward = torch.jit.trace(net, x, check_trace=False) if variant.startswith("trace") else net

        def step():
            optimiser.zero_grad(set_to_none=True)
            total, bits = loss_sum(forward(x), label)
            loss = total / bits
            loss.backward()
            optimiser.step()
            return loss.item()

        return step

    def infer(self, variant, layout, net, x, threads):
        if variant == "onnxruntime":
            return self.onnx(x, threads)
        net.eval().to(memory_format=layout)
        call = net
        with torch.no_grad():
            if not variant.startswith("eager"):
                call = torch.jit.freeze(torch.jit.trace(net, x, check_trace=False))
            if variant.startswith("optimized"):
                call = torch.jit.optimize_for_inference(call)

        def step():
            with torch.no_grad():
                return call(x).mean().item()

        return step

    def onnx(self, x, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(self.path + ".onnx", options, providers=["CPUExecutionProvider"])
        feed = {session.get_inputs()[0].name: x.contiguous().numpy()}
        return lambda: float(session.run(None, feed)[0].mean())


def main():
    peer = Peer()
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "quit":
                break
            elif words[0] == "run":
                begin = time.perf_counter()
                value = peer.call()
                answer = "%.9f %.9g" % (time.perf_counter() - begin, value)
            elif words[0] == "memory":
                answer = "%d %d" % (resident("VmHWM"), peer.base)
            elif words[0] == "variants":
                answer = " ".join({"train": TRAIN, "bf16": BF16, "infer": INFER}[words[1]])
            else:
                getattr(peer, words[0])(*words[1:])
                answer = "ok " + torch.__version__
        except Exception as failure:  # noqa: BLE001: whatever a variant cannot do is its answer
            answer = "no " + " ".join(str(failure).split())[:200]
        print(answer, flush=True)


main()
