"""The child that sets papers: typst with the fonts of its package, our sources and the values as JSON. Knows no more.

A question is JSON: the source's name, the instant that the PDF says it was made at, and the values. They are data to
typst, never markup, so that nothing in them is obeyed.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import typst

from app.web.child import serve

MEMORY = 768 * 1024 * 1024
HERE = Path(__file__).parent
STANDARDS: "tuple[list[typst.PDFStandard], ...]" = (["a-2a", "ua-1"], [])
"""To be kept for long and read aloud; where a text has a letter that no face of ours has, neither holds, and it is left
out so that the paper comes all the same."""


def fonts() -> Path:
    """The folder of the packaged Chinese fonts."""
    spec = find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        raise SystemExit("pylopdf-fonts-zh-cn is not installed")
    return Path(spec.origin).parent


def main() -> None:
    found = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[fonts()])
    compiler = typst.Compiler(root=HERE, font_paths=found, ignore_system_fonts=True, package_path=HERE / "none")

    def answer(question: bytes) -> bytes:
        asked = json.loads(question)
        failures = []
        for standards in STANDARDS:
            try:
                made = compiler.compile(
                    input=HERE / f"{asked['source']}.typ",
                    format="pdf",
                    sys_inputs={"data": asked["data"]},
                    timestamp=asked["made_at"],
                    pdf_standards=standards,
                )
            except typst.TypstError as failed:
                failures.append(f"{failed.message} {failed.diagnostic}")
            else:
                return b"+" + made if isinstance(made, bytes) else b"-no pages"
        return b"-" + " | ".join(failures).encode()

    serve(answer, memory=MEMORY)


if __name__ == "__main__":
    main()
