package io.widebeam.join;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.Change;
import io.widebeam.simulation.Interference;
import io.widebeam.simulation.Simulator;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import javax.annotation.Nullable;
import org.apache.beam.sdk.values.KV;
import org.junit.jupiter.api.Test;

/** The simulator finds each of these bugs, planted in what it runs, within 200 seeds. */
class PlantedBugsTest {
  private static final int SEEDS = 200;

  @Test
  void nothingIsFoundWhereNothingIsPlanted() {
    Simulator simulator = Simulator.ofRandomViews().with(new Interference() {});
    assertThat(LongStream.rangeClosed(1, 20).mapToObj(simulator::run))
        .allMatch(outcome -> outcome.failure().isEmpty());
  }

  @Test
  void anAssemblyThatDropsTombstonesIsFound() {
    assertFound(onAssemblies(state -> state.forget(Long.MAX_VALUE)));
  }

  @Test
  void aLookupThatDropsTombstonesIsFound() {
    assertFound(onLookups(state -> state.forget(Long.MAX_VALUE)));
  }

  @Test
  void aSkippedUnsubscribeIsFound() {
    assertFound(
        onMessages(
            message ->
                message instanceof Message.Subscription subscription && !subscription.pointing()
                    ? null
                    : message));
  }

  @Test
  void anAssemblyThatTrustsArrivalOrderIsFound() {
    assertFound(
        onAssemblies(
            state ->
                withEntries(
                    state,
                    Arrays.stream(state.entries())
                        .map(
                            entry ->
                                new AssemblyState.Entry(
                                    entry.address(),
                                    entry.row(),
                                    0,
                                    entry.diesAt(),
                                    entry.current(),
                                    entry.next()))
                        .toArray(AssemblyState.Entry[]::new))));
  }

  @Test
  void aLookupThatTrustsArrivalOrderIsFound() {
    assertFound(
        onLookups(
            state ->
                new LookupState(
                    Arrays.stream(state.entries())
                        .map(
                            entry ->
                                new LookupState.Entry(
                                    entry.address(), entry.row(), 0, entry.diesAt()))
                        .toArray(LookupState.Entry[]::new),
                    state.answers(),
                    state.positions(),
                    state.unanswered(),
                    state.pointers(),
                    state.crowded())));
  }

  @Test
  void aForgottenBeforeImageIsFound() {
    assertFound(
        new Interference() {
          @Override
          public Object element(String step, Object element) {
            return element instanceof Change change && change.after() != null
                ? new Change(
                    change.table(),
                    null,
                    change.after(),
                    change.sequence(),
                    change.commitMillis(),
                    change.snapshot())
                : element;
          }
        });
  }

  @Test
  void aLookupThatAnswersOnlyOnceIsFound() {
    assertFound(
        onMessages(
            message ->
                message instanceof Message.Answer answer && answer.version() > 1 ? null : message));
  }

  @Test
  void aForgottenHoldAtResumeIsFound() {
    assertFound(
        new Interference() {
          @Override
          public boolean holdsWhenResuming() {
            return false;
          }
        });
  }

  @Test
  void numbersThatAreNotRaisedAtResumeAreFound() {
    assertFound(
        new Interference() {
          @Override
          public boolean bumpsWhenResuming() {
            return false;
          }
        });
  }

  @Test
  void anEmissionThatIsNotRepeatedAfterAResumeIsFound() {
    assertFound(
        onAssemblies(
            state ->
                new AssemblyState(
                    state.entries(),
                    state.version(),
                    state.positions(),
                    state.commitMillis(),
                    state.held(),
                    false,
                    state.key(),
                    state.emitted(),
                    state.passed())));
  }

  @Test
  void aPlaceThatIsNotTakenBackAfterAResumeIsFound() {
    assertFound(
        onAssemblies(
            state ->
                new AssemblyState(
                    state.entries(),
                    state.version(),
                    state.positions(),
                    state.commitMillis(),
                    state.held(),
                    state.due(),
                    state.key(),
                    state.emitted(),
                    new byte[0][])));
  }

  private static void assertFound(Interference bug) {
    Simulator simulator = Simulator.ofRandomViews().with(bug);
    long seeds =
        LongStream.rangeClosed(1, SEEDS)
            .takeWhile(seed -> simulator.run(seed).failure().isEmpty())
            .count();
    assertThat(seeds).as("seeds that did not find it").isLessThan(SEEDS);
  }

  private static AssemblyState withEntries(AssemblyState state, AssemblyState.Entry[] entries) {
    return new AssemblyState(
        entries,
        state.version(),
        state.positions(),
        state.commitMillis(),
        state.held(),
        state.due(),
        state.key(),
        state.emitted(),
        state.passed());
  }

  private static Interference onAssemblies(UnaryOperator<AssemblyState> change) {
    return new Interference() {
      @Override
      public Object state(String step, String stateId, Object value) {
        return value instanceof AssemblyState state ? change.apply(state) : value;
      }
    };
  }

  private static Interference onLookups(UnaryOperator<LookupState> change) {
    return new Interference() {
      @Override
      public Object state(String step, String stateId, Object value) {
        return value instanceof LookupState state ? change.apply(state) : value;
      }
    };
  }

  private static Interference onMessages(UnaryOperator<Message> change) {
    return new Interference() {
      @Override
      @Nullable
      public Object element(String step, Object element) {
        if (element instanceof KV<?, ?> kv && kv.getValue() instanceof Message message) {
          Message changed = change.apply(message);
          return changed == null ? null : KV.of(kv.getKey(), changed);
        }
        return element;
      }
    };
  }
}
