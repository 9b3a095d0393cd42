from shared.persistence.migrations import run
from tests.faults.sample.press.models import Base

run(Base.metadata)
