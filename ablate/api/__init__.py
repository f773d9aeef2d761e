"""For other people's code and notebooks: `compare`, `Study` and `load`.

`from ablate.api import compare` judges any table of paired scores, `Study` is a study of a function
and `load` one of a suite in YAML. Importing them needs no torch.
"""

from ablate.analysis.tables.compare import compare as compare
from ablate.api.study import Study as Study, load as load
from ablate.tables.compared import Compared as Compared
