package io.widebeam.cdc;

import java.util.Collection;
import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;

/**
 * A read was to go on from a checkpoint of a pipeline that made other things of the changes. What
 * is new or altered would know nothing of what was read before.
 *
 * <p>What to do: go on with the pipeline as it was, or load again, as {@link ReloadException} says.
 */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class StateMismatchException extends ReloadException {
  private static final long serialVersionUID = 1L;

  StateMismatchException(Collection<String> views) {
    this(
        "The state to go on from knows nothing of "
            + String.join(", ", views)
            + ", as the flow has it now. Go on with the flow as it was, or start it without the"
            + " state, which loads everything anew.");
  }

  private StateMismatchException(String message) {
    super(message);
  }

  @Override
  StateMismatchException again() {
    return new StateMismatchException(getMessage());
  }
}
