package io.widebeam.simulation;

import javax.annotation.Nullable;

/**
 * Spoils a run, to show that the simulator would find a bug which has that effect. The methods see
 * what goes through the graph and return what goes on in its place.
 */
public interface Interference {
  /** Leaves everything as it is. */
  Interference NONE = new Interference() {};

  /**
   * An element is about to be processed.
   *
   * @param step the step's name in the graph
   * @return the element to process; null to lose it
   */
  @Nullable
  default Object element(String step, Object element) {
    return element;
  }

  /**
   * A step writes a value state, or an entry of a map state.
   *
   * @param step the step's name in the graph
   */
  default Object state(String step, String stateId, Object value) {
    return value;
  }

  /** Whether a source that resumes after a crash holds its watermark until it has caught up. */
  default boolean holdsWhenResuming() {
    return true;
  }

  /** Whether changes that are read again after a crash get higher numbers than they had. */
  default boolean bumpsWhenResuming() {
    return true;
  }
}
