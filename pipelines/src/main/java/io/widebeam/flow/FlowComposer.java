package io.widebeam.flow;

import io.widebeam.cdc.CdcIO;
import io.widebeam.change.Change;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentRows;
import io.widebeam.flow.PlannedFlow.PlannedReader;
import io.widebeam.flow.PlannedFlow.PlannedTarget;
import io.widebeam.flow.PlannedFlow.PlannedView;
import io.widebeam.join.WideDocuments;
import io.widebeam.notify.RuleNotifications;
import io.widebeam.rollup.GroupsInTarget;
import io.widebeam.rollup.Rollup;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.JdbcTables;
import io.widebeam.sink.jdbc.JdbcTarget;
import io.widebeam.sink.mongodb.MongoDocuments;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.PDone;
import org.joda.time.Duration;

/**
 * Turns a planned flow into a Beam graph:
 *
 * <pre>
 * Read/shop ──┬─ orders/Join ──┬─ orders/Write
 *             │                └─ sales/Rollup ── sales/Write
 *             └─ stock/Sources ── stock/Join ── stock/Write
 * Read/depot ───────┘
 * Read/shop@7353 ── returns@7353/Join ── returns@7353/Write
 * </pre>
 *
 * <p>What each of them cannot process goes to DeadLetters/Write, unless it is to end the flow.
 *
 * <p>Steps are named after connections and collections, and keep their names from version to
 * version: a restored checkpoint finds its state by them. A view that joined the flow later, or was
 * changed, has its generation in its steps' names, as {@code returns} has here: it has no state,
 * and what it joins is read by steps of its own, so that the others go on while that is loaded.
 */
public final class FlowComposer {
  private static final long NO_GENERATION = 0;

  private FlowComposer() {}

  /** What the runner does about failures. */
  public enum Recovery {
    /** It takes no checkpoints. */
    NONE,
    /** It takes checkpoints, and supports stable input. */
    CHECKPOINTS,
    /** The same, and it starts a job that fails before its first checkpoint over by itself. */
    RESTARTS
  }

  /** Adds the flow to a pipeline that takes no checkpoints. */
  public static void compose(Pipeline pipeline, PlannedFlow flow) {
    compose(pipeline, flow, Recovery.NONE);
  }

  /** Adds the flow to the pipeline. Applies to any runner; nothing is read before it runs. */
  public static void compose(Pipeline pipeline, PlannedFlow flow, Recovery recovery) {
    RuleNotifications rules = new RuleNotifications(flow.name(), flow.channels());
    Optional<DeadLetters<PDone>> letters =
        flow.deadLetters().map(target -> DeadLetters.to(pipeline, sink(target).ofDeadLetters()));
    Map<String, PCollection<Change>> changes = readSources(pipeline, flow, recovery, letters);
    for (PlannedView view : flow.views()) {
      PCollection<Change> needed = flattenSources(view, flow, changes);
      WideDocuments join = join(view, flow, letters);
      PCollection<DocumentChange> documents = needed.apply(step(view, flow, "Join"), join);
      view.target()
          .ifPresent(
              target ->
                  write(
                      target,
                      step(target.label(), flow.generationOf(view), flow, "Write"),
                      rows(view, flow, documents, letters),
                      view.root().table(),
                      flow.generation() == 0 ? NO_GENERATION : join.firstVersion(),
                      letters));
      for (PlannedRollup rollup : flow.rollupsOf(view)) {
        PCollection<DocumentChange> groups =
            documents.apply(
                step(rollup.name(), flow.generationOf(view), flow, "Rollup"),
                rollup(rollup, view, flow.generationOf(view), letters));
        write(
            rollup.target(),
            step(rollup.target().label(), flow.generationOf(view), flow, "Write"),
            groups,
            view.root().table(),
            // Their versions are of the clock that generations are of.
            flow.generationOf(view),
            letters);
        for (PlannedRule rule : flow.rulesOf(rollup)) {
          rules.add(
              groups,
              rule.name(),
              rule.when(),
              rule.matching(),
              flow.loadMillisOf(view),
              letters,
              view.root().table());
        }
      }
    }
    rules.send(recovery != Recovery.NONE);
    letters.ifPresent(DeadLetters::close);
  }

  /** Each connection once for a generation, however many views read its tables; by the step. */
  private static Map<String, PCollection<Change>> readSources(
      Pipeline pipeline,
      PlannedFlow flow,
      Recovery recovery,
      Optional<DeadLetters<PDone>> letters) {
    Map<String, PCollection<Change>> changes = new LinkedHashMap<>();
    for (PlannedReader reader : flow.readers()) {
      CdcIO.Read<Change> read =
          CdcIO.readChanges()
              .withConnectorConfiguration(reader.source().connector())
              .withGeneration(reader.generation())
              .withViews(reader.views())
              .withReleaseByCheckpoint(recovery == Recovery.RESTARTS);
      String step = readStep(reader.source().connection(), reader.generation(), flow);
      changes.put(step, pipeline.apply(step, letters.map(read::withDeadLetters).orElse(read)));
    }
    return changes;
  }

  private static PCollection<Change> flattenSources(
      PlannedView view, PlannedFlow flow, Map<String, PCollection<Change>> changes) {
    List<PCollection<Change>> needed =
        view.connections().stream()
            .map(connection -> changes.get(readStep(connection, flow.generationOf(view), flow)))
            .toList();
    return needed.size() == 1
        ? needed.get(0)
        : PCollectionList.of(needed).apply(step(view, flow, "Sources"), Flatten.pCollections());
  }

  private static WideDocuments join(
      PlannedView view, PlannedFlow flow, Optional<DeadLetters<PDone>> letters) {
    WideDocuments join = WideDocuments.of(view.root()).withGeneration(flow.generationOf(view));
    boolean unwound =
        view.target().orElse(null) instanceof PlannedTarget.Jdbc jdbc && jdbc.table().isUnwound();
    if (unwound || view.row().isPresent() || !flow.rollupsOf(view).isEmpty()) {
      // Of a document that is many rows, only those that differ are to be written; and what a
      // document gave a group is to be taken back.
      join = join.withBefore();
    }
    return letters.map(join::withDeadLetters).orElse(join);
  }

  /** What is written of a view's documents. */
  private static PCollection<DocumentChange> rows(
      PlannedView view,
      PlannedFlow flow,
      PCollection<DocumentChange> documents,
      Optional<DeadLetters<PDone>> letters) {
    if (view.row().isEmpty()) {
      return documents;
    }
    DocumentRows rows = DocumentRows.of(view.row().get());
    return documents.apply(
        step(view, flow, "Rows"),
        letters.map(handler -> rows.withDeadLetters(handler, view.root().table())).orElse(rows));
  }

  private static Rollup rollup(
      PlannedRollup planned,
      PlannedView view,
      long generation,
      Optional<DeadLetters<PDone>> letters) {
    Rollup rollup =
        Rollup.of(planned.aggregation())
            .every(Duration.millis(planned.period().toMillis()))
            .reconciledWith(groupsIn(planned.target()))
            .withFirstVersion(generation);
    if (planned.row().isPresent()) {
      rollup = rollup.withRow(planned.row().get());
    }
    return letters.isPresent()
        ? rollup.withDeadLetters(letters.get(), view.root().table())
        : rollup;
  }

  private static GroupsInTarget groupsIn(PlannedTarget target) {
    if (target instanceof PlannedTarget.Jdbc jdbc) {
      JdbcTarget database = jdbc.database();
      FlatTable table = jdbc.table();
      return groups -> JdbcTables.groups(database, table).forEach(groups);
    }
    PlannedTarget.Mongo mongo = (PlannedTarget.Mongo) target;
    String uri = mongo.uri().reveal();
    String database = mongo.database();
    String collection = mongo.collection();
    return groups -> MongoDocuments.groups(uri, database, collection).forEach(groups);
  }

  /**
   * @param root the table that the documents come from
   * @param firstVersion what the versions of older generations are below; 0 if there are none
   */
  private static void write(
      PlannedTarget target,
      String step,
      PCollection<DocumentChange> documents,
      TableId root,
      long firstVersion,
      Optional<DeadLetters<PDone>> letters) {
    if (target instanceof PlannedTarget.Jdbc jdbc) {
      JdbcTables.Write write =
          JdbcTables.write()
              .to(jdbc.database())
              .withTable(jdbc.table())
              .withFirstVersion(firstVersion);
      documents.apply(step, jdbc.source().map(write::followingColumns).orElse(write));
    } else if (target instanceof PlannedTarget.Mongo mongo) {
      MongoDocuments.Write write = sink(mongo).withFirstVersion(firstVersion);
      documents.apply(
          step, letters.map(handler -> write.withDeadLetters(handler, root)).orElse(write));
    }
  }

  private static MongoDocuments.Write sink(PlannedTarget.Mongo target) {
    return MongoDocuments.write()
        .withUri(target.uri().reveal())
        .withDatabase(target.database())
        .withCollection(target.collection())
        .withVersionField(target.versionField());
  }

  private static String step(PlannedView view, PlannedFlow flow, String stage) {
    return step(view.name(), flow.generationOf(view), flow, stage);
  }

  private static String step(String part, long generation, PlannedFlow flow, String stage) {
    return inGeneration(part, generation, flow) + "/" + stage;
  }

  private static String readStep(String connection, long generation, PlannedFlow flow) {
    return "Read/" + inGeneration(connection, generation, flow);
  }

  private static String inGeneration(String part, long generation, PlannedFlow flow) {
    return part + (generation == flow.generation() ? "" : "@" + generation);
  }
}
