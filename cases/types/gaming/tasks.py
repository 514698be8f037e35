"""The worker's door to requests about play."""

from cases.types.gaming import services
from cases.types.gaming.registers import services as registers
from compliance.outbox.work import task


@task("gaming.ask_registers")
def ask_registers(**later: object) -> None:
    """Ask about who was never asked about, and whose answer grows old."""
    registers.sweep()


@task("gaming.sweep")
def sweep(**later: object) -> None:
    """Orders that nobody confirmed are told again. Twice does no harm: each knows when it was told."""
    services.sweep()
