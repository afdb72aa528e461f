package io.widebeam.simulation;

import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.WindowingStrategy;

/** Stands in a graph where a source would; {@link GraphRun} is told what comes from it. */
final class SimulatedRead<T> extends PTransform<PBegin, PCollection<T>> {
  private final transient Coder<T> coder;

  SimulatedRead(Coder<T> coder) {
    this.coder = coder;
  }

  @Override
  public PCollection<T> expand(PBegin input) {
    return PCollection.createPrimitiveOutputInternal(
        input.getPipeline(),
        WindowingStrategy.globalDefault(),
        PCollection.IsBounded.UNBOUNDED,
        coder);
  }
}
