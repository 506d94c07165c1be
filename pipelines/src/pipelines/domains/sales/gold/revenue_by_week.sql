SELECT
    dataset,
    currency,
    CAST(date_trunc('week', ordered_at) AS DATE) AS week,
    count(*) AS lines,
    sum(CAST(quantity AS BIGINT)) AS quantity,
    sum(amount) AS revenue
FROM silver.sales
GROUP BY dataset, currency, CAST(date_trunc('week', ordered_at) AS DATE)
