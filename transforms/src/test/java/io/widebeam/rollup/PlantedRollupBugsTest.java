package io.widebeam.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.simulation.Interference;
import io.widebeam.simulation.Simulator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import javax.annotation.Nullable;
import org.apache.beam.sdk.values.KV;
import org.junit.jupiter.api.Test;

/** The simulator finds each of these bugs, planted in the rollups, within 200 seeds. */
class PlantedRollupBugsTest {
  private static final int SEEDS = 200;

  @Test
  void nothingIsFoundWhereNothingIsPlanted() {
    Simulator simulator = Simulator.ofRandomRollups().with(new Interference() {});
    assertThat(LongStream.rangeClosed(1, 20).mapToObj(simulator::run))
        .allMatch(outcome -> outcome.failure().isEmpty());
  }

  @Test
  void aBeforeThatIsNotTakenBackIsFound() {
    assertFound(
        () ->
            onContributions(
                given -> given.rows().isEmpty() && !given.isReconciling() ? null : given));
  }

  @Test
  void aDuplicateThatCountsTwiceIsFound() {
    assertFound(
        () -> {
          Set<List<Object>> seen = new HashSet<>();
          return onContributions(
              given ->
                  given.isReconciling()
                          || seen.add(
                              List.of(hex(given.group()), hex(given.document()), given.version()))
                      ? given
                      : new Contribution(
                          new byte[] {1},
                          given.version(),
                          given.commitMillis(),
                          given.certain(),
                          given.group(),
                          given.rows()));
        });
  }

  @Test
  void aDeletedExtremeThatStaysIsFound() {
    assertFound(
        () ->
            onStates(
                state ->
                    state instanceof AggregateFn.Value value
                        ? new AggregateFn.Value(value.value(), value.times() + 1)
                        : state));
  }

  @Test
  void aGroupThatTrustsArrivalOrderIsFound() {
    assertFound(
        () ->
            onStates(
                state ->
                    state instanceof AggregateFn.Given given
                        ? new AggregateFn.Given(Long.MIN_VALUE, given.rows())
                        : state));
  }

  @Test
  void aGroupThatForgetsWhoHasLeftIsFound() {
    assertFound(
        () ->
            onStates(
                state ->
                    state instanceof AggregateFn.Left left
                        ? new AggregateFn.Left(Long.MIN_VALUE, left.diesAt())
                        : state));
  }

  @Test
  void aGroupOfTheCrashedRunThatNobodyAsksForIsFound() {
    assertFound(() -> onContributions(given -> given.isReconciling() ? null : given));
  }

  @Test
  void aRowThatIsNotRepeatedAfterAResumeIsFound() {
    assertFound(
        () ->
            onStates(
                state ->
                    state instanceof GroupState group
                        ? new GroupState(
                            group.group(),
                            group.rows(),
                            group.tallies(),
                            group.version(),
                            group.commitMillis(),
                            group.due(),
                            true,
                            group.emitted(),
                            group.forgetAt())
                        : state));
  }

  /** What a bug remembers is of one seed. */
  private static void assertFound(Supplier<Interference> bug) {
    long seeds =
        LongStream.rangeClosed(1, SEEDS)
            .takeWhile(
                seed -> Simulator.ofRandomRollups().with(bug.get()).run(seed).failure().isEmpty())
            .count();
    assertThat(seeds).as("seeds that did not find it").isLessThan(SEEDS);
  }

  private static String hex(byte[] bytes) {
    return java.util.HexFormat.of().formatHex(bytes);
  }

  private static Interference onStates(UnaryOperator<Object> change) {
    return new Interference() {
      @Override
      public Object state(String step, String stateId, Object value) {
        return change.apply(value);
      }
    };
  }

  private static Interference onContributions(UnaryOperator<Contribution> change) {
    return new Interference() {
      @Override
      @Nullable
      public Object element(String step, Object element) {
        if (element instanceof KV<?, ?> kv && kv.getValue() instanceof Contribution given) {
          Contribution changed = change.apply(given);
          return changed == null ? null : KV.of(kv.getKey(), changed);
        }
        return element;
      }
    };
  }
}
