package io.widebeam.cdc;

import io.widebeam.testing.TestMySql;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

@Tag("slow")
class MySqlGtidsBinlogIT extends MySqlBinlogIT {

  @BeforeAll
  static void nameTransactions() throws Exception {
    TestMySql.shared()
        .execute(
            "",
            "SET GLOBAL enforce_gtid_consistency = ON",
            "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
            "SET GLOBAL gtid_mode = ON_PERMISSIVE",
            "SET GLOBAL gtid_mode = ON");
  }

  @AfterAll
  static void nameThemNoMore() throws Exception {
    TestMySql.shared()
        .execute(
            "",
            "SET GLOBAL gtid_mode = ON_PERMISSIVE",
            "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
            "SET GLOBAL gtid_mode = OFF");
  }

  @Override
  String lastTransaction() throws SQLException {
    String executed = query("SELECT @@GLOBAL.gtid_executed");
    return executed.substring(executed.lastIndexOf('-'));
  }
}
