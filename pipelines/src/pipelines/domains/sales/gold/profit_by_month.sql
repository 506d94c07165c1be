WITH months AS (
    SELECT
        dataset,
        currency,
        CAST(date_trunc('month', ordered_at) AS DATE) AS month,
        sum(amount) AS revenue,
        sum(cost) AS cost
    FROM {{ silver }}
    GROUP BY dataset, currency, CAST(date_trunc('month', ordered_at) AS DATE)
)
SELECT
    dataset,
    currency,
    month,
    revenue,
    cost,
    CAST(revenue - cost AS DECIMAL(28, 3)) AS profit,
    CASE WHEN revenue <> 0 THEN CAST(revenue - cost AS DOUBLE) / CAST(revenue AS DOUBLE) END AS margin
FROM months
