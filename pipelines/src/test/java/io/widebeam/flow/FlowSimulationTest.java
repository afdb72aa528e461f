package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.simulation.ColumnType;
import io.widebeam.simulation.Interference;
import io.widebeam.simulation.Simulator;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
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
