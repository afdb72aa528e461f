package io.widebeam.flow;

/** A flow that was started. */
public interface RunningFlow {

  /** How it is doing; never blocks on the pipeline. */
  FlowStatus status();

  /** Ends the flow and waits until it has ended; does nothing if it has. */
  void stop();

  /** Returns when the flow has ended, for whatever reason: {@link #status} tells which. */
  void awaitEnd();
}
