package io.widebeam.notify;

import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetter;
import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentRows;
import io.widebeam.view.RowFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.errorhandling.ErrorHandler;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.TypeDescriptors;

/**
 * The rules of a flow, over rows that rollups give out:
 *
 * <pre>
 * sales/Rollup ──┬─ Rules/a/Rows ── Rules/a/Crossings ──┬── Notifications/Stable ── Notifications/Send
 *                └─ Rules/b/Rows ── Rules/b/Crossings ──┘
 * </pre>
 *
 * <p>Apply all rules, then {@link #send}.
 */
public final class RuleNotifications {
  private final String flow;
  private final List<Channel> channels;
  private final List<PCollection<Notification>> crossings = new ArrayList<>();

  public RuleNotifications(String flow, List<Channel> channels) {
    this.flow = flow;
    this.channels = List.copyOf(channels);
  }

  /**
   * Adds a rule.
   *
   * @param rows the groups' rows, each with its {@code before}
   * @param rule answers a row for which the rule is true, and null for others
   * @param loadMillis up to which event time rows come from the load: what is so then is where
   *     rules begin, and tells nobody
   * @param deadLetters takes rows of which that cannot be told; without, they fail the pipeline
   * @param root the table whose rows are grouped, for the letters to name
   */
  public void add(
      PCollection<DocumentChange> rows,
      String name,
      String condition,
      RowFunction rule,
      long loadMillis,
      Optional<? extends ErrorHandler<DeadLetter, ?>> deadLetters,
      TableId root) {
    DocumentRows matching = DocumentRows.of(rule);
    crossings.add(
        rows.apply(
                "Rules/" + name + "/Rows",
                deadLetters
                    .map(handler -> matching.withDeadLetters(handler, root))
                    .orElse(matching))
            .apply(
                "Rules/" + name + "/Crossings",
                ParDo.of(new CrossingFn(flow, name, condition, loadMillis)))
            .setCoder(Notification.NotificationCoder.of()));
  }

  /**
   * Delivers what the rules say.
   *
   * @param checkpointed whether the pipeline takes checkpoints. Then nothing is told before one has
   *     it, so that what is repeated after a crash is the same; otherwise it is told at once
   */
  public void send(boolean checkpointed) {
    if (crossings.isEmpty()) {
      return;
    }
    PCollection<KV<String, Notification>> all =
        PCollectionList.of(crossings)
            .apply("Notifications/All", Flatten.pCollections())
            .apply(
                "Notifications/Key",
                MapElements.into(
                        TypeDescriptors.kvs(
                            TypeDescriptors.strings(),
                            org.apache.beam.sdk.values.TypeDescriptor.of(Notification.class)))
                    .via(notification -> KV.of(notification.id(), notification)))
            .setCoder(KvCoder.of(StringUtf8Coder.of(), Notification.NotificationCoder.of()));
    if (checkpointed) {
      all = all.apply("Notifications/Stable", ParDo.of(new StableFn())).setCoder(all.getCoder());
    }
    all.apply("Notifications/Send", ParDo.of(new OutboxFn(channels)));
  }
}
