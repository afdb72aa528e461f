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
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.apache.beam.sdk.values.PDone;

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

  static ViewGraph of(List<ViewNode> views) {
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
      documents.add(compose("View" + i, views.get(i), needed, letters));
    }
    letters.close();
    return new ViewGraph(pipeline, changes, documents);
  }

  private static PCollection<DocumentChange> compose(
      String name, ViewNode view, List<PCollection<Change>> needed, DeadLetters<PDone> letters) {
    PCollection<Change> changes =
        needed.size() == 1
            ? needed.get(0)
            : PCollectionList.of(needed).apply(name + "/Sources", Flatten.pCollections());
    PCollection<DocumentChange> documents =
        changes.apply(name + "/Join", WideDocuments.of(view).withBefore().withDeadLetters(letters));
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
