package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.runners.TransformHierarchy.Node;
import org.junit.jupiter.api.Test;

class FlowComposerTest {
  private static final FlowPlanner PLANNER =
      new FlowPlanner(
          (source, names) ->
              new SourceDescription(
                  ConnectorSettings.MARIADB,
                  true,
                  names.stream()
                      .collect(
                          Collectors.toMap(
                              Function.identity(),
                              name ->
                                  new TableDescription(
                                      new TableId(source.name(), "db", name),
                                      List.of("id", "parent_id"),
                                      List.of("id"),
                                      1,
                                      true))),
                  Map.of(),
                  List.of(),
                  List.of()),
          (target, names) -> List.of());

  private static List<String> steps(Flow flow) {
    return steps(PLANNER.plan(flow));
  }

  /** The steps that the composer itself names. */
  private static List<String> steps(PlannedFlow flow) {
    Pipeline pipeline = Pipeline.create();
    FlowComposer.compose(pipeline, flow);
    List<String> steps = new ArrayList<>();
    pipeline.traverseTopologically(
        new Pipeline.PipelineVisitor.Defaults() {
          @Override
          public CompositeBehavior enterCompositeTransform(Node node) {
            if (node.isRootNode()) {
              return CompositeBehavior.ENTER_TRANSFORM;
            }
            steps.add(node.getFullName());
            return CompositeBehavior.DO_NOT_ENTER_TRANSFORM;
          }

          @Override
          public void visitPrimitiveTransform(Node node) {
            steps.add(node.getFullName());
          }
        });
    return steps;
  }

  @Test
  void everySourceIsReadOnceAndViewsTakeWhatTheyNeed() {
    Flow flow =
        Flow.named("flow")
            .connection(Connection.mariadb("shop", "h", 1, "db", "u", ""))
            .connection(Connection.mariadb("depot", "h", 1, "db", "u", ""))
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shop.orders")
            .lookup("shop.items", path("items"), array(), on("id", "parent_id"))
            .writeTo("docs.orders")
            .readFrom("shop.products")
            .lookup("depot.stock", path("stock"), array(), on("id", "parent_id"))
            .writeTo("docs.stock");

    assertThat(steps(flow))
        .containsExactly(
            "Read/depot",
            "Read/shop",
            "docs.orders/Join",
            "docs.orders/Write",
            "docs.stock/Sources",
            "docs.stock/Join",
            "docs.stock/Write",
            "DeadLetters/All",
            "DeadLetters/Write");
    assertThat(steps(flow.failFast())).doesNotContain("DeadLetters/All", "DeadLetters/Write");
  }

  @Test
  void aViewOfALaterGenerationHasItsOwnReaderAndTheOthersKeepTheirSteps() {
    Flow flow =
        Flow.named("flow")
            .connection(Connection.mariadb("shop", "h", 1, "db", "u", ""))
            .connection(Connection.mongodb("docs", "mongodb://h", "db"))
            .readFrom("shop.orders")
            .writeTo("docs.orders")
            .readFrom("shop.products")
            .writeTo("docs.products")
            .failFast();

    assertThat(steps(PLANNER.plan(flow).withGenerations(5, Map.of("docs.products", 7L))))
        .containsExactly(
            "Read/shop",
            "Read/shop@7",
            "docs.orders/Join",
            "docs.orders/Write",
            "docs.products@7/Join",
            "docs.products@7/Write");
  }
}
