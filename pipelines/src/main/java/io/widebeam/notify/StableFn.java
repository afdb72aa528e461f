package io.widebeam.notify;

import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.values.KV;

/**
 * Keeps notifications back until a checkpoint has them: what is told after that is never told in
 * other words, since a restart goes on from there or later.
 */
final class StableFn extends DoFn<KV<String, Notification>, KV<String, Notification>> {
  @RequiresStableInput
  @ProcessElement
  public void process(
      @Element KV<String, Notification> notification,
      OutputReceiver<KV<String, Notification>> out) {
    out.output(notification);
  }
}
