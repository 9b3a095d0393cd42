from services.control.models import Base
from shared.persistence.migrations import run

run(Base.metadata)
