"""The chain base → kernels → tensor → autograd → ops → bindings: a file includes only from its left."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAIN = ["base", "kernels", "tensor", "autograd", "ops", "bindings"]
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.MULTILINE)
SOURCES = sorted(p for p in (ROOT / "csrc").rglob("*") if p.suffix in {".h", ".cpp"})


def includes(path):
    return INCLUDE.findall(path.read_text())


@pytest.mark.parametrize("folder", CHAIN)
def test_includes_go_leftwards(folder):
    allowed = CHAIN[: CHAIN.index(folder) + 1]
    for path in (p for p in SOURCES if p.relative_to(ROOT / "csrc").parts[0] == folder):
        for name in includes(path):
            top = name.split("/")[0]
            assert top not in CHAIN or top in allowed, f"{path.relative_to(ROOT)} includes {name}"


def test_only_bindings_know_python():
    for path in SOURCES:
        if path.relative_to(ROOT / "csrc").parts[0] == "bindings":
            continue
        for name in includes(path):
            assert not re.match(r"Python\.h|nanobind|pybind11", name), f"{path.relative_to(ROOT)} includes {name}"


def test_only_one_header_knows_cuda():
    """CUDA's own headers are included by fd/cuda.h alone; kernels use its names, so that the emulator can stand in."""
    for path in sorted((ROOT / "csrc").rglob("*")):
        if path.suffix not in {".h", ".cpp", ".cu"} or path.name == "cuda.h":
            continue
        text = path.read_text()
        assert not [name for name in includes(path) if re.match(r"cuda|cooperative_groups|mma\.h", name)], path
        assert "<<<" not in text, path
        assert not re.search(r"\basm\b|__shared__", text) or path.parent.name != "cuda", path


def test_the_isa_is_never_guessed():
    """Kernels take their instruction set from FD_ISA, not from compiler macros; nothing is built for one machine."""
    for path in (ROOT / "csrc" / "kernels" / "cpu").iterdir():
        assert not re.search(r"__AVX\w*__|__ARM_NEON", path.read_text()), path.name
    for path in [ROOT / "CMakeLists.txt", *SOURCES]:
        assert "march=native" not in path.read_text(), path
        assert "ffast-math" not in path.read_text(), path


def test_the_contract_is_c():
    """kernels.h is the ABI of a plug-in: no C++ outside its extern "C" guard."""
    text = (ROOT / "csrc" / "kernels" / "kernels.h").read_text()
    assert not re.search(r"\b(template|namespace|class|std::)\b", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
