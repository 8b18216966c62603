"""Registry of training objectives: loss.objective -> class. One line each."""

from pipeline.train.objectives.adamine import AdaMineObjective
from pipeline.train.objectives.cme import CmeObjective
from pipeline.train.objectives.devise import DeviseObjective
from pipeline.train.objectives.hie import HieObjective
from pipeline.train.objectives.huse import HuseObjective
from pipeline.train.objectives.huse_p import HuseProjectionObjective
from pipeline.train.objectives.objective import Objective
from pipeline.train.objectives.separate import SeparateObjective
from pipeline.train.objectives.triplet import TripletObjective

OBJECTIVES: dict[str, type[Objective]] = {
    "adamine": AdaMineObjective,
    "cme": CmeObjective,
    "devise": DeviseObjective,
    "hie": HieObjective,
    "huse": HuseObjective,
    "huse_p": HuseProjectionObjective,
    "separate": SeparateObjective,
    "triplet": TripletObjective,
}
