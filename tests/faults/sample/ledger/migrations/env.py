from shared.persistence.migrations import run
from tests.faults.sample.ledger.models import Base

run(Base.metadata)
