package io.widebeam.simulation;

import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentRows;
import io.widebeam.join.WideDocuments;
import io.widebeam.rollup.Rollup;
import io.widebeam.view.ViewNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.PDone;
import org.joda.time.Duration;

/**
 * The Beam graph of some views, as a flow composes it, but between simulated ends.
 *
 * @param changes what each source gives out, by its name
 * @param documents what each view emits, in the order of the views
 * @param derived what is made of them, in the order of the scenario
 */
record ViewGraph(
    Pipeline pipeline,
    Map<String, PCollection<Change>> changes,
    List<PCollection<DocumentChange>> documents,
    List<PCollection<DocumentChange>> derived) {
  private static final PipelineOptions OPTIONS = PipelineOptionsFactory.create();

  /** So short that it ends within a history. */
  private static final Duration SHORT = Duration.standardSeconds(2);

  /** Of a scenario that is not played like Flink: see {@link #of(Scenario)}. */
  static ViewGraph of(List<ViewNode> views) {
    return of(views, List.of(), view -> view);
  }

  /**
   * The graph of the scenario's views. If there are crashes, it is played like Flink, where a
   * deletion need not be remembered for long.
   */
  static ViewGraph of(Scenario scenario) {
    return of(
        scenario.views(),
        scenario.derived(),
        scenario.crashes() > 0 ? join -> join.withTombstones(SHORT) : join -> join);
  }

  private static ViewGraph of(
      List<ViewNode> views, List<Derived> derived, UnaryOperator<WideDocuments> how) {
    Pipeline pipeline = Pipeline.create(OPTIONS);
    Map<String, PCollection<Change>> changes = new TreeMap<>();
    List<PCollection<DocumentChange>> documents = new ArrayList<>();
    DeadLetters<PDone> letters = DeadLetters.to(pipeline, new SimulatedWrite<>());
    for (int i = 0; i < views.size(); i++) {
      List<PCollection<Change>> needed = new ArrayList<>();
      for (String source : sources(views.get(i))) {
        needed.add(
            changes.computeIfAbsent(
                source,
                name -> pipeline.apply("Read/" + name, new SimulatedRead<>(ChangeCoder.of()))));
      }
      documents.add(compose("View" + i, views.get(i), needed, how, letters));
    }
    List<PCollection<DocumentChange>> made = new ArrayList<>();
    for (int i = 0; i < derived.size(); i++) {
      Derived one = derived.get(i);
      made.add(compose(i, one, documents.get(one.view()), views.get(one.view()).table(), letters));
    }
    letters.close();
    return new ViewGraph(pipeline, changes, documents, made);
  }

  private static PCollection<DocumentChange> compose(
      int index,
      Derived derived,
      PCollection<DocumentChange> documents,
      TableId root,
      DeadLetters<PDone> letters) {
    PTransform<PCollection<DocumentChange>, PCollection<DocumentChange>> transform;
    if (derived instanceof Derived.Groups groups) {
      Rollup rollup =
          Rollup.of(groups.aggregation())
              .every(Duration.millis(groups.period().toMillis()))
              .reconciledWith(group -> Simulation.current().groups(index).forEach(group))
              .withClock(() -> Simulation.current().nowMillis())
              .withDeadLetters(letters, root);
      transform = groups.row() == null ? rollup : rollup.withRow(groups.row());
    } else {
      transform = DocumentRows.of(((Derived.Rows) derived).row()).withDeadLetters(letters, root);
    }
    PCollection<DocumentChange> made = documents.apply(derivedStep(index), transform);
    made.apply(derivedStep(index) + "/Write", new SimulatedWrite<>());
    return made;
  }

  private static PCollection<DocumentChange> compose(
      String name,
      ViewNode view,
      List<PCollection<Change>> needed,
      UnaryOperator<WideDocuments> how,
      DeadLetters<PDone> letters) {
    PCollection<Change> changes =
        needed.size() == 1
            ? needed.get(0)
            : PCollectionList.of(needed).apply(name + "/Sources", Flatten.pCollections());
    PCollection<DocumentChange> documents =
        changes.apply(
            name + "/Join",
            how.apply(WideDocuments.of(view).withBefore().withDeadLetters(letters)));
    documents.apply(name + "/Write", new SimulatedWrite<>());
    return documents;
  }

  /** What the steps are named after that make something of documents. */
  static String derivedStep(int index) {
    return "Derived" + index;
  }

  /** The sources that a view reads. */
  static Set<String> sources(ViewNode node) {
    Set<String> sources = new TreeSet<>();
    sources.add(node.table().source());
    node.lookups().forEach(lookup -> sources.addAll(sources(lookup)));
    return sources;
  }
}
