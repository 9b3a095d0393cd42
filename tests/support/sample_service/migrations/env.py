from shared.persistence.migrations import run
from tests.support.sample_service.app import Base

run(Base.metadata)
