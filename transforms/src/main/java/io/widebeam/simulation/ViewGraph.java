package io.widebeam.simulation;

import io.widebeam.change.Change;
import io.widebeam.change.ChangeCoder;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.WideDocuments;
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
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.PDone;
import org.joda.time.Duration;

/**
 * The Beam graph of some views, as a flow composes it, but between simulated ends.
 *
 * @param changes what each source gives out, by its name
 * @param documents what each view emits, in the order of the views
 */
record ViewGraph(
    Pipeline pipeline,
    Map<String, PCollection<Change>> changes,
    List<PCollection<DocumentChange>> documents) {
  private static final PipelineOptions OPTIONS = PipelineOptionsFactory.create();

  /** So short that it ends within a history. */
  private static final Duration SHORT = Duration.standardSeconds(2);

  /** Of a scenario that is not played like Flink: see {@link #of(Scenario)}. */
  static ViewGraph of(List<ViewNode> views) {
    return of(views, view -> view);
  }

  /**
   * The graph of the scenario's views. If there are crashes, it is played like Flink, where a
   * deletion need not be remembered for long.
   */
  static ViewGraph of(Scenario scenario) {
    return scenario.crashes() > 0
        ? of(scenario.views(), join -> join.withTombstones(SHORT))
        : of(scenario.views());
  }

  private static ViewGraph of(List<ViewNode> views, UnaryOperator<WideDocuments> how) {
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
    letters.close();
    return new ViewGraph(pipeline, changes, documents);
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

  /** The sources that a view reads. */
  static Set<String> sources(ViewNode node) {
    Set<String> sources = new TreeSet<>();
    sources.add(node.table().source());
    node.lookups().forEach(lookup -> sources.addAll(sources(lookup)));
    return sources;
  }
}
