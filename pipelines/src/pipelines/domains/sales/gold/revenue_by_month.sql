SELECT
    dataset,
    currency,
    CAST(date_trunc('month', ordered_at) AS DATE) AS month,
    count(*) AS lines,
    sum(CAST(quantity AS BIGINT)) AS quantity,
    sum(amount) AS revenue
FROM silver.sales
GROUP BY dataset, currency, CAST(date_trunc('month', ordered_at) AS DATE)
