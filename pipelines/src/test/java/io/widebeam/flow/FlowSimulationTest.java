package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.simulation.ColumnType;
import io.widebeam.simulation.Interference;
import io.widebeam.simulation.Simulator;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import javax.annotation.Nullable;
import org.junit.jupiter.api.Test;

class FlowSimulationTest {
  @Test
  void aFlowsDocumentsEqualTheJoin() {
    Simulator simulator = FlowSimulation.of(Orders.FLOW);
    assertThat(LongStream.rangeClosed(1, 10).mapToObj(simulator::run))
        .allSatisfy(outcome -> assertThat(outcome.failure()).isEmpty())
        .anySatisfy(outcome -> assertThat(outcome.operations()).isGreaterThan(20));
  }

  @Test
  void whatIsWrongIsFoundInTheFlowsOwnTables() {
    Simulator simulator =
        FlowSimulation.of(Orders.FLOW)
            .with(
                new Interference() {
                  @Override
                  public boolean bumpsWhenResuming() {
                    return false;
                  }
                });
    Simulator.Outcome failed =
        LongStream.rangeClosed(1, 200)
            .mapToObj(simulator::run)
            .filter(outcome -> outcome.failure().isPresent())
            .findFirst()
            .orElseThrow();
    assertThat(simulator.smallestCase(failed))
        .contains("ecom_orders", "crash", "what happened")
        .containsPattern("expected|version");
  }

  @Test
  void aFlowsRollupsEqualTheGrouping() {
    Simulator simulator =
        FlowSimulation.of(
            Orders.FLOW
                .rollup("MongoDB_ECommerce.orderSingleView")
                .unwind("order_items")
                .groupBy("order_items.seller_id")
                .aggregate("items", "COUNT(*)")
                .aggregate("total", "SUM(order_items.price * order_items.pieces)")
                .aggregate("customers", "COUNT(DISTINCT customer_id)")
                .aggregate("last", "MAX(order_items.price)")
                .writeTo("MongoDB_ECommerce.sellers"));
    assertThat(LongStream.rangeClosed(1, 10).mapToObj(simulator::run))
        .allSatisfy(outcome -> assertThat(outcome.failure()).isEmpty());
    assertFoundInGroups(simulator);
  }

  @Test
  void aFlowsModelsEqualTheirQueries() {
    Simulator simulator = FlowSimulation.of(ModelsTest.seed());
    assertThat(LongStream.rangeClosed(1, 10).mapToObj(simulator::run))
        .allSatisfy(outcome -> assertThat(outcome.failure()).isEmpty());
    assertFoundInGroups(simulator);
  }

  /** What reaches the groups is lost, so that rows are missing in them. */
  private static void assertFoundInGroups(Simulator simulator) {
    Simulator spoiled =
        simulator.with(
            new Interference() {
              @Override
              @Nullable
              public Object element(String step, Object element) {
                return step.endsWith("/Aggregate") ? null : element;
              }
            });
    assertThat(
            LongStream.rangeClosed(1, 50)
                .mapToObj(spoiled::run)
                .flatMap(outcome -> outcome.failure().stream())
                .anyMatch(failure -> failure.getMessage().contains("differs from the grouping")))
        .isTrue();
  }

  @Test
  void aFlowWithMistakesIsRefused() {
    assertThatThrownBy(() -> FlowSimulation.of(Flow.named("Empty")))
        .isInstanceOf(FlowException.class);
  }

  @Test
  void anExpressionTellsItsColumnsAndWhatTheyAreComparedWith() {
    assertThat(SqlMentions.in("status <> 'void' AND price > 10.5 OR lower(`a b`) IS NULL"))
        .containsEntry(
            "status", new SqlMentions.Mention(Optional.of(ColumnType.STRING), List.of("void")))
        .containsEntry(
            "price", new SqlMentions.Mention(Optional.of(ColumnType.INT), List.of("10.5")))
        .containsEntry("a b", SqlMentions.Mention.NONE)
        .hasSize(3);
  }
}
