package io.widebeam.simulation;

/** What a run found wrong. */
public final class SimulationFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What must hold and does not. */
  enum Kind {
    /** The target equals the join when all is quiet. */
    DIFFERENCE,
    /** Nothing is emitted while the sources hold back. */
    NOT_HELD,
    /** Versions grow. */
    VERSION,
    /** Every change's before is what was emitted last. */
    BEFORE,
    /** The load writes every document once. */
    WRITES,
    /** When all rows are gone no state is left. */
    STATE_LEFT,
    /** Steps do not fail. */
    ERROR
  }

  private final Kind kind;

  SimulationFailure(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  SimulationFailure(RuntimeException cause) {
    super("a step failed: " + cause, cause);
    this.kind = Kind.ERROR;
  }

  Kind kind() {
    return kind;
  }
}
