package io.widebeam.flow;

import java.util.ServiceLoader;

/** Runs planned flows; found on the class path by {@link ServiceLoader}. */
public interface FlowLauncher {

  /**
   * Starts a flow and returns while it runs.
   *
   * @param beamArgs pipeline options, as in {@code --runner=FlinkRunner}
   */
  RunningFlow launch(PlannedFlow flow, String... beamArgs);

  /**
   * The launcher that the class path offers.
   *
   * @throws IllegalStateException if it offers none
   */
  static FlowLauncher find() {
    return ServiceLoader.load(FlowLauncher.class)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "nothing here can run a flow: add io.widebeam:widebeam-runners to the class"
                        + " path"));
  }
}
