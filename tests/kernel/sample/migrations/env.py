from shared.persistence.migrations import run
from tests.kernel.sample.app import Base

run(Base.metadata)
