WITH countries AS (
    SELECT
        'online_retail' AS dataset,
        currency,
        country,
        count(DISTINCT customer_id) AS customers,
        count(*) AS lines,
        sum(CAST(quantity AS BIGINT)) AS quantity,
        sum(amount) AS revenue
    FROM silver.online_retail
    GROUP BY currency, country
),
totals AS (
    SELECT dataset, currency, sum(revenue) AS total
    FROM countries
    GROUP BY dataset, currency
)
SELECT
    countries.dataset,
    countries.currency,
    countries.country,
    countries.customers,
    countries.lines,
    countries.quantity,
    countries.revenue,
    CAST(countries.revenue AS DOUBLE) / CAST(totals.total AS DOUBLE) AS share
FROM countries
INNER JOIN totals ON countries.dataset = totals.dataset AND countries.currency = totals.currency
