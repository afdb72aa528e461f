package io.widebeam.runner.launch;

/** A flow's job failed; the message is for people and names the root cause. */
public final class FlowFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  FlowFailedException(Throwable cause) {
    super(Failures.describe(cause), cause);
  }
}
