package io.widebeam.runner.shop;

import java.math.BigDecimal;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Generates the shop's rows: the same ones for the same number of orders. As in the data set, a few
 * orders have no items and one has no payment, most have one of each and some have many; dates are
 * missing where an order has not come that far.
 */
final class ShopRows {
  private static final long SEED = 20180829;
  private static final int MOST_ITEMS = 21;
  private static final int MOST_PAYMENTS = 29;
  private static final int ORDERS_PER_EMPTY_ORDER = 128;
  private static final LocalDateTime FIRST_PURCHASE = LocalDateTime.of(2016, 9, 4, 21, 15, 19);
  private static final long PURCHASE_SECONDS = Duration.ofDays(772).toSeconds();

  private static final String[] CITIES = {
    "sao paulo",
    "rio de janeiro",
    "belo horizonte",
    "brasília",
    "curitiba",
    "campinas",
    "porto alegre",
    "salvador",
    "guarulhos",
    "são bernardo do campo",
    "niterói",
    "santo andré",
    "osasco",
    "goiânia",
    "são josé dos campos",
    "fortaleza",
    "sorocaba",
    "recife",
    "florianópolis",
    "jundiaí",
    "ribeirão preto",
    "belém",
    "mogi-guaçu",
    "sant'ana do livramento"
  };
  private static final String[] STATES = {
    "SP", "RJ", "MG", "DF", "PR", "SP", "RS", "BA", "SP", "SP", "RJ", "SP", "SP", "GO", "SP", "CE",
    "SP", "PE", "SC", "SP", "SP", "PA", "SP", "RS"
  };
  private static final String[] CATEGORIES = {
    "beleza_saude",
    "cama_mesa_banho",
    "esporte_lazer",
    "informatica_acessorios",
    "moveis_decoracao",
    "utilidades_domesticas",
    "relogios_presentes",
    "telefonia",
    "automotivo",
    "brinquedos",
    "cool_stuff",
    "ferramentas_jardim",
    "perfumaria",
    "bebes",
    "eletronicos"
  };
  private static final String[] PAYMENT_TYPES = {
    "credit_card", "credit_card", "credit_card", "boleto", "voucher", "debit_card"
  };

  /** Takes the values of one row, in the order of the table's columns. */
  interface Sink {
    void row(Object... values) throws SQLException;
  }

  /** How many rows each table has. */
  record Counts(int orders, int customers, int payments, int items, int products, int sellers) {
    /** The data set's proportions; exact for its own 99,441 orders. */
    static Counts ofOrders(int orders) {
      return new Counts(
          orders,
          orders,
          proportion(orders, 103_886),
          proportion(orders, 112_650),
          proportion(orders, 32_951),
          proportion(orders, 3_095));
    }

    private static int proportion(int orders, int ofDataSet) {
      return (int) Math.max(1, Math.round(orders * (double) ofDataSet / 99_441));
    }

    int total() {
      return orders + customers + payments + items + products + sellers;
    }

    Map<String, Integer> byTable() {
      Map<String, Integer> counts = new LinkedHashMap<>();
      for (Shop.Table table : Shop.Table.values()) {
        counts.put(table.tableName(), of(table));
      }
      return counts;
    }

    int of(Shop.Table table) {
      return switch (table) {
        case CUSTOMERS -> customers;
        case ORDERS -> orders;
        case ORDER_PAYMENTS -> payments;
        case ORDER_ITEMS -> items;
        case PRODUCTS -> products;
        case SELLERS -> sellers;
      };
    }
  }

  private final Counts counts;
  private final int[] itemsOfOrder;
  private final int[] paymentsOfOrder;

  ShopRows(int orders) {
    if (orders < 1) {
      throw new IllegalArgumentException("a shop needs at least one order, not " + orders);
    }
    counts = Counts.ofOrders(orders);
    itemsOfOrder = new int[orders];
    for (int order = 0; order < orders; order++) {
      itemsOfOrder[order] = order % ORDERS_PER_EMPTY_ORDER == ORDERS_PER_EMPTY_ORDER - 1 ? 0 : 1;
    }
    addAtRandom(itemsOfOrder, counts.items, MOST_ITEMS);
    paymentsOfOrder = new int[orders];
    Arrays.fill(paymentsOfOrder, 1);
    if (orders > ORDERS_PER_EMPTY_ORDER) {
      paymentsOfOrder[orders / 2] = 0;
    }
    addAtRandom(paymentsOfOrder, counts.payments, MOST_PAYMENTS);
  }

  /** Raises counts that are not zero until they add up to {@code total}. */
  private static void addAtRandom(int[] countOfOrder, int total, int most) {
    SplittableRandom random = new SplittableRandom(SEED);
    int missing = total - Arrays.stream(countOfOrder).sum();
    while (missing > 0) {
      int order = random.nextInt(countOfOrder.length);
      if (countOfOrder[order] > 0 && countOfOrder[order] < most) {
        // Orders with several come in several sizes.
        int more = Math.min(missing, Math.min(most - countOfOrder[order], 1 + order % 3));
        countOfOrder[order] += more;
        missing -= more;
      }
    }
  }

  Counts counts() {
    return counts;
  }

  /** Generates all rows of a table. */
  void forEach(Shop.Table table, Sink sink) throws SQLException {
    switch (table) {
      case CUSTOMERS -> customers(sink);
      case ORDERS -> orders(sink);
      case ORDER_PAYMENTS -> payments(sink);
      case ORDER_ITEMS -> items(sink);
      case PRODUCTS -> products(sink);
      case SELLERS -> sellers(sink);
    }
  }

  private void customers(Sink sink) throws SQLException {
    for (int customer : inKeyOrder("customer", counts.customers)) {
      SplittableRandom random = random("customer", customer);
      int city = random.nextInt(CITIES.length);
      sink.row(
          key("customer", customer),
          // Some customers order more than once.
          key("person", customer - (random.nextInt(30) == 0 ? customer % 2 : 0)),
          zipCode(random),
          CITIES[city],
          STATES[city]);
    }
  }

  private void orders(Sink sink) throws SQLException {
    for (int order : inKeyOrder("order", counts.orders)) {
      SplittableRandom random = random("order", order);
      LocalDateTime purchased = purchased(order);
      // 0 canceled, 1 approved, 2 with the carrier, 3 and above delivered
      int progress = Math.min(3, random.nextInt(40));
      LocalDateTime approved = purchased.plusMinutes(random.nextInt(10, 1_500));
      LocalDateTime carried = approved.plusSeconds(random.nextInt(40_000, 400_000));
      LocalDateTime delivered = carried.plusSeconds(random.nextInt(90_000, 1_500_000));
      sink.row(
          key("order", order),
          key("customer", order),
          new String[] {"canceled", "processing", "shipped", "delivered"}[progress],
          purchased,
          progress > 0 ? approved : null,
          progress > 1 ? carried : null,
          progress > 2 ? delivered : null,
          purchased.toLocalDate().plusDays(random.nextInt(8, 45)).atStartOfDay());
    }
  }

  private void payments(Sink sink) throws SQLException {
    for (int order : inKeyOrder("order", counts.orders)) {
      SplittableRandom random = random("payment", order);
      for (int sequential = 1; sequential <= paymentsOfOrder[order]; sequential++) {
        String type = PAYMENT_TYPES[random.nextInt(PAYMENT_TYPES.length)];
        sink.row(
            key("order", order),
            sequential,
            type,
            type.equals("credit_card") ? random.nextInt(1, 11) : 1,
            money(random, 60_000));
      }
    }
  }

  private void items(Sink sink) throws SQLException {
    for (int order : inKeyOrder("order", counts.orders)) {
      SplittableRandom random = random("item", order);
      for (int item = 1; item <= itemsOfOrder[order]; item++) {
        // A few products sell most.
        double popular = random.nextDouble();
        int product = (int) (popular * popular * counts.products);
        sink.row(
            key("order", order),
            item,
            key("product", product),
            key("seller", random.nextInt(counts.sellers)),
            purchased(order).plusDays(random.nextInt(3, 9)),
            money(random, random.nextInt(10) == 0 ? 120_000 : 20_000),
            money(random, 4_000));
      }
    }
  }

  private void products(Sink sink) throws SQLException {
    for (int product : inKeyOrder("product", counts.products)) {
      SplittableRandom random = random("product", product);
      boolean described = random.nextInt(54) != 0;
      sink.row(
          key("product", product),
          described ? CATEGORIES[random.nextInt(CATEGORIES.length)] : null,
          described ? random.nextInt(5, 77) : null,
          null,
          described ? random.nextInt(4, 3_993) : null,
          null,
          described ? random.nextInt(1, 21) : null,
          random.nextInt(50, 30_000),
          random.nextInt(7, 106),
          random.nextInt(2, 106),
          random.nextInt(6, 119));
    }
  }

  private void sellers(Sink sink) throws SQLException {
    for (int seller : inKeyOrder("seller", counts.sellers)) {
      SplittableRandom random = random("seller", seller);
      int city = random.nextInt(CITIES.length);
      sink.row(key("seller", seller), zipCode(random), CITIES[city], STATES[city]);
    }
  }

  /** Rows in the order of their keys load several times faster than in any other. */
  private static int[] inKeyOrder(String kind, int count) {
    String[] keys = new String[count];
    Arrays.setAll(keys, number -> key(kind, number));
    return IntStream.range(0, count)
        .boxed()
        .sorted(Comparator.comparing(number -> keys[number]))
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static LocalDateTime purchased(int order) {
    return FIRST_PURCHASE.plusSeconds(random("purchase", order).nextLong(PURCHASE_SECONDS));
  }

  private static BigDecimal money(SplittableRandom random, int belowCents) {
    return BigDecimal.valueOf(random.nextInt(85, belowCents), 2);
  }

  private static String zipCode(SplittableRandom random) {
    return Integer.toString(100_000 + random.nextInt(1_000, 99_991)).substring(1);
  }

  /** A key of 32 hexadecimal digits, as the data set's are; it does not sort by number. */
  static String key(String kind, int number) {
    SplittableRandom random = random(kind, number);
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
  }

  private static SplittableRandom random(String kind, int number) {
    return new SplittableRandom(SEED + ((long) kind.hashCode() << 32) + number);
  }
}
