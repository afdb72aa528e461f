package io.widebeam.flow;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A flow cannot run as it is written. Carries every problem that was found; the message lists them,
 * one after the other, and never holds a secret.
 */
public final class FlowException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<Problem> problems;

  public FlowException(List<Problem> problems) {
    super(render(problems));
    this.problems = List.copyOf(problems);
  }

  /** What is wrong, in the order in which it was found; never empty. */
  public List<Problem> problems() {
    return problems;
  }

  static void throwIfAny(List<Problem> problems) {
    if (!problems.isEmpty()) {
      throw new FlowException(problems);
    }
  }

  private static String render(List<Problem> problems) {
    if (problems.isEmpty()) {
      throw new IllegalArgumentException("a FlowException needs at least one problem");
    }
    return problems.stream().map(Problem::toString).collect(Collectors.joining("\n"));
  }
}
