import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real JunoCam data; its pictures may not be shipped with the project."""
    folder = Path(os.environ.get("PERIJOVE_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "raw").is_dir():
        if os.environ.get("PERIJOVE_DATA"):
            pytest.fail(f"PERIJOVE_DATA={folder} holds no folder 'raw'")
        pytest.skip("real JunoCam data is not here; set PERIJOVE_DATA to its folder")
    return folder
