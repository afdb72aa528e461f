package io.widebeam.flow;

import static io.widebeam.flow.Lookup.array;
import static io.widebeam.flow.Lookup.arrayKeys;
import static io.widebeam.flow.Lookup.object;
import static io.widebeam.flow.Lookup.on;
import static io.widebeam.flow.Lookup.path;
import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ViewTreeTest {
  private final List<String> reported = new ArrayList<>();

  private ViewTree tree(Lookup... lookups) {
    View view =
        new View(
            TableRef.parse("shop.orders"),
            List.of(lookups),
            Optional.empty(),
            View.DEFAULT_VERSION_FIELD);
    return ViewTree.of(view, "views[0]", (part, what, remedy) -> reported.add(part + ": " + what));
  }

  @Test
  void theParentIsTheNodeAtTheLongestPrefix() {
    ViewTree root =
        tree(
            Lookup.of("shop.makers", path("items.product.maker"), on("maker_id", "id")),
            Lookup.of("shop.items", path("items"), array(), on("id", "order_id")),
            Lookup.of("shop.products", path("items.product"), object(), on("product_id", "id")),
            Lookup.of("shop.itemsets", path("itemset"), object(), on("set_id", "id")));

    assertThat(reported).isEmpty();
    assertThat(root.embedding()).isEqualTo(Embedding.ROOT);
    assertThat(root.lookups())
        .extracting(ViewTree::path)
        .containsExactly(List.of("items"), List.of("itemset"));
    ViewTree items = root.lookups().get(0);
    assertThat(items.embedding()).isEqualTo(Embedding.ARRAY);
    ViewTree product = items.lookups().get(0);
    assertThat(product.path()).containsExactly("product");
    assertThat(product.lookups().get(0).path()).containsExactly("maker");
    assertThat(product.lookups().get(0).part()).isEqualTo("views[0].lookups[0]");
  }

  @Test
  void aPathMayGoThroughFieldsThatAreNoNodes() {
    ViewTree root = tree(Lookup.of("shop.customers", path("parties.buyer"), on("buyer_id", "id")));

    assertThat(root.lookups().get(0).path()).containsExactly("parties", "buyer");
  }

  @Test
  void anEmptyPathMergesIntoTheRoot() {
    ViewTree root = tree(Lookup.of("shop.customers", path(""), on("buyer_id", "id")));

    assertThat(root.lookups().get(0).embedding()).isEqualTo(Embedding.MERGED);
    assertThat(root.lookups().get(0).path()).isEmpty();
  }

  @Test
  void arrayKeysAreKept() {
    ViewTree root =
        tree(
            Lookup.of(
                "shop.items", path("items"), array(), on("id", "order_id"), arrayKeys("a", "b")));

    assertThat(root.lookups().get(0).arrayKeys()).containsExactly("a", "b");
  }

  @ParameterizedTest
  @CsvSource({
    // [parent, child] and the reverse, with the parent's path.
    "items.product_id, id, product_id, id",
    "id, items.product_id, product_id, id",
    // Without any path, a pair is [parent, child].
    "product_id, id, product_id, id",
    // With the lookup's own path, which starts like its parent's.
    "items.product.id, product_id, product_id, id",
    "items.product_id, items.product.id, product_id, id",
    "items.product.id, items.product_id, product_id, id",
    "product_id, items.product.id, product_id, id",
  })
  void theSideThatCarriesThePathDecides(String left, String right, String parent, String child) {
    ViewTree root =
        tree(
            Lookup.of("shop.items", path("items"), array(), on("id", "order_id")),
            Lookup.of("shop.products", path("items.product"), object(), on(left, right)));

    assertThat(reported).isEmpty();
    assertThat(root.lookups().get(0).lookups().get(0).relation())
        .containsExactly(new JoinColumn(parent, child));
  }

  @Test
  void aCompositeKeyIsSeveralPairs() {
    ViewTree root =
        tree(
            Lookup.of(
                "shop.items", path("items"), array(), on("id", "order_id"), on("shop", "shop_id")));

    assertThat(root.lookups().get(0).relation())
        .containsExactly(new JoinColumn("id", "order_id"), new JoinColumn("shop", "shop_id"));
  }

  @Test
  void aPathThatLeadsNowhereIsReported() {
    tree(Lookup.of("shop.products", path("product"), on("items.product_id", "id")));

    assertThat(reported)
        .containsExactly(
            "views[0].lookups[0].relation[0]: `items.product_id` in the pair"
                + " [items.product_id, id] is not a column of `shop.products` or of its parent, the"
                + " root");
  }
}
