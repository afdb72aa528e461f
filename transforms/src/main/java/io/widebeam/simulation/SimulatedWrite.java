package io.widebeam.simulation;

import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;

/** Stands in a graph where a sink would; {@link GraphRun} tells what arrives there. */
final class SimulatedWrite<T> extends PTransform<PCollection<T>, PDone> {
  @Override
  public PDone expand(PCollection<T> input) {
    return PDone.in(input.getPipeline());
  }
}
