package io.widebeam.flow;

import io.widebeam.cdc.CdcIO;
import io.widebeam.change.Change;
import io.widebeam.document.DocumentChange;
import io.widebeam.flow.PlannedFlow.PlannedSource;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.join.WideDocuments;
import io.widebeam.sink.mongodb.MongoDocuments;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;

/**
 * Turns a planned flow into a Beam graph:
 *
 * <pre>
 * Read/shop ──┬─ orders/Join ── orders/Write
 *             └─ stock/Sources ── stock/Join ── stock/Write
 * Read/depot ───────┘
 * </pre>
 *
 * <p>Steps are named after connections and collections, and keep their names from version to
 * version: a restored checkpoint finds its state by them.
 */
public final class FlowComposer {
  private static final long NO_VERSION = 0;

  private FlowComposer() {}

  /** Adds the flow to the pipeline. Applies to any runner; nothing is read before it runs. */
  public static void compose(Pipeline pipeline, PlannedFlow flow) {
    Map<String, PCollection<Change>> changes = readSources(pipeline, flow.sources());
    for (PlannedView view : flow.views()) {
      PCollection<Change> needed = flattenSources(view, changes);
      WideDocuments join = WideDocuments.of(view.root()).withGeneration(flow.generation());
      PCollection<DocumentChange> documents = needed.apply(step(view, "Join"), join);
      write(view, documents, flow.generation() == 0 ? NO_VERSION : join.firstVersion());
    }
  }

  /** Each connection once, however many views read its tables. */
  private static Map<String, PCollection<Change>> readSources(
      Pipeline pipeline, List<PlannedSource> sources) {
    Map<String, PCollection<Change>> changes = new LinkedHashMap<>();
    for (PlannedSource source : sources) {
      changes.put(
          source.connection(),
          pipeline.apply(
              "Read/" + source.connection(),
              CdcIO.readChanges().withConnectorConfiguration(source.connector())));
    }
    return changes;
  }

  private static PCollection<Change> flattenSources(
      PlannedView view, Map<String, PCollection<Change>> changes) {
    List<PCollection<Change>> needed = view.connections().stream().map(changes::get).toList();
    return needed.size() == 1
        ? needed.get(0)
        : PCollectionList.of(needed).apply(step(view, "Sources"), Flatten.pCollections());
  }

  /**
   * @param firstVersion what the versions of older generations are below
   */
  private static void write(
      PlannedView view, PCollection<DocumentChange> documents, long firstVersion) {
    PlannedTarget target = view.target();
    documents.apply(
        step(view, "Write"),
        MongoDocuments.write()
            .withUri(target.uri().reveal())
            .withDatabase(target.database())
            .withCollection(target.collection())
            .withVersionField(target.versionField())
            .withFirstVersion(firstVersion));
  }

  private static String step(PlannedView view, String stage) {
    return view.target().connection() + "." + view.target().collection() + "/" + stage;
  }
}
