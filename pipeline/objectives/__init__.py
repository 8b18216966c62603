"""Registry of training objectives: loss.objective -> class. One line each."""

from pipeline.objectives.adamine import AdaMineObjective
from pipeline.objectives.cme import CmeObjective
from pipeline.objectives.devise import DeviseObjective
from pipeline.objectives.hie import HieObjective
from pipeline.objectives.huse import HuseObjective
from pipeline.objectives.huse_p import HuseProjectionObjective
from pipeline.objectives.objective import Objective
from pipeline.objectives.separate import SeparateObjective
from pipeline.objectives.triplet import TripletObjective

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
