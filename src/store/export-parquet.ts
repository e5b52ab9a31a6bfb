import { fileWriter, parquetWriteRows } from 'hyparquet-writer';
import type { ViewName } from '../types/view-rows.ts';
import { type ColumnType, listColumns, openSource, toColumnType } from './export-source.ts';
import type { SqlValue } from './sql-types.ts';

const PARQUET_TYPES = { text: 'STRING', integer: 'INT64', real: 'DOUBLE' } as const;
/** Rows held in memory at once. */
const ROW_GROUP_ROWS = 50_000;

function toParquetValue(type: ColumnType, value: SqlValue): SqlValue {
  return type === 'integer' && typeof value === 'number' ? BigInt(value) : value;
}

function* toObjects(rows: Iterable<SqlValue[]>, columns: readonly string[], types: readonly ColumnType[]) {
  for (const row of rows)
    yield Object.fromEntries(columns.map((column, i) => [column, toParquetValue(types[i]!, row[i] ?? null)]));
}

/** Writes a view as a Parquet file: text as strings, whole numbers as INT64, the rest as DOUBLE; every column nullable, SNAPPY. */
export async function writeParquet(dbPath: string, view: ViewName, file: string): Promise<void> {
  const columns = listColumns(view);
  const types = columns.map(toColumnType);
  const source = openSource(dbPath);
  try {
    await parquetWriteRows({
      writer: fileWriter(file),
      rows: toObjects(source.rows(view), columns, types),
      columns: columns.map((name, i) => ({ name, type: PARQUET_TYPES[types[i]!], nullable: true })),
      rowGroupSize: ROW_GROUP_ROWS,
    });
  } finally {
    source.close();
  }
}
