package io.widebeam.join;

import io.widebeam.join.LookupState.Pointer;
import io.widebeam.join.LookupState.Subscribed;
import io.widebeam.join.LookupState.Subscriber;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import javax.annotation.Nullable;
import org.apache.beam.sdk.state.MapState;

/**
 * Who points at one lookup key. Most keys have a few subscribers, which live in the key's own
 * state, read and written in one access; once there are more than {@code few}, all move to a map
 * state, where each costs the same however many there are.
 */
final class Subscribers {
  /** Up to here, copying the array costs less than a map state's accesses. */
  static final int FEW = 48;

  private final MapState<Subscriber, Subscribed> many;
  private final int few;
  private Pointer[] pointers;
  private boolean crowded;

  Subscribers(LookupState state, MapState<Subscriber, Subscribed> many, int few) {
    this.many = many;
    this.few = few;
    this.pointers = state.pointers();
    this.crowded = state.crowded();
  }

  /** The state with what has been put here since. */
  LookupState in(LookupState state) {
    return state.withPointers(pointers, crowded);
  }

  @Nullable
  Subscribed get(Subscriber subscriber) {
    if (crowded) {
      return many.get(subscriber).read();
    }
    int i = indexOf(subscriber);
    return i < 0 ? null : pointers[i].how();
  }

  void put(Subscriber subscriber, Subscribed how) {
    if (!crowded && pointers.length >= few && indexOf(subscriber) < 0) {
      crowded = true;
      for (Pointer pointer : pointers) {
        many.put(pointer.who(), pointer.how());
      }
      pointers = new Pointer[0];
    }
    if (crowded) {
      many.put(subscriber, how);
      return;
    }
    int i = indexOf(subscriber);
    pointers = Arrays.copyOf(pointers, i < 0 ? pointers.length + 1 : pointers.length);
    pointers[i < 0 ? pointers.length - 1 : i] = new Pointer(subscriber, how);
  }

  /** Calls for each; which may put others in the place of those it is called for. */
  void forEach(BiConsumer<Subscriber, Subscribed> action) {
    List<Pointer> all = new ArrayList<>();
    if (crowded) {
      for (Map.Entry<Subscriber, Subscribed> entry : many.entries().read()) {
        all.add(new Pointer(entry.getKey(), entry.getValue()));
      }
    } else {
      all.addAll(Arrays.asList(pointers));
    }
    all.forEach(pointer -> action.accept(pointer.who(), pointer.how()));
  }

  /** Removes those that the predicate accepts; returns whether none is left. */
  boolean removeIf(Predicate<Subscribed> dead) {
    if (!crowded) {
      pointers =
          Arrays.stream(pointers)
              .filter(pointer -> !dead.test(pointer.how()))
              .toArray(Pointer[]::new);
      return pointers.length == 0;
    }
    List<Subscriber> gone = new ArrayList<>();
    boolean empty = true;
    for (Map.Entry<Subscriber, Subscribed> entry : many.entries().read()) {
      if (dead.test(entry.getValue())) {
        gone.add(entry.getKey());
      } else {
        empty = false;
      }
    }
    gone.forEach(many::remove);
    crowded = !empty;
    return empty;
  }

  private int indexOf(Subscriber subscriber) {
    for (int i = 0; i < pointers.length; i++) {
      if (pointers[i].who().equals(subscriber)) {
        return i;
      }
    }
    return -1;
  }
}
