"""For other people's code and notebooks.

`from ablate.api import compare` judges any table of paired scores. Nothing here needs torch.
"""

from ablate.analysis.tables.compare import compare as compare
from ablate.tables.compared import Compared as Compared
