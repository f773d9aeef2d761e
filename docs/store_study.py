"""Stores the records of a shipped suite for `demo`, from a results folder in which it has been run.

python cli.py run memory --results build/stored && python docs/store_study.py build/stored
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from ablate import flow
from ablate.plan import stored_study
from ablate.records.store import open_store

if __name__ == "__main__":
    suite = flow.open_suite(stored_study.STUDY)
    with closing(open_store(Path(sys.argv[1]), create=False)) as store:
        content = stored_study.pack(suite, store)
    stored_study.FOLDER.mkdir(exist_ok=True)
    stored_study.path().write_bytes(content)
    print(f"{stored_study.path()}: {len(content):,} bytes")
