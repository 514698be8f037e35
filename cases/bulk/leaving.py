"""When a member of staff leaves, their acts on many cases stop before the next case."""

from cases.bulk.services import stop_all
from compliance.people.access import leaving

leaving.register("batches", stop_all)
