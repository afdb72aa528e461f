package io.widebeam.runner.launch;

import java.util.List;
import javax.annotation.Nullable;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsRegistrar;

/** What a job on a cluster tells of itself to whom asks for it there. */
public interface WidebeamOptions extends PipelineOptions {

  @Description(
      "The generation of the state that --savepointPath names; 'run' and 'stop' print it. Not for"
          + " state in --state-dir, which knows its own.")
  @Nullable
  Long getGeneration();

  void setGeneration(@Nullable Long generation);

  @Description("How many documents the targets had when the job began. Set by Widebeam.")
  @Default.Long(0)
  long getDocumentsBefore();

  void setDocumentsBefore(long documents);

  /** Makes the options known to Beam. */
  final class Registrar implements PipelineOptionsRegistrar {
    @Override
    public Iterable<Class<? extends PipelineOptions>> getPipelineOptions() {
      return List.of(WidebeamOptions.class);
    }
  }
}
