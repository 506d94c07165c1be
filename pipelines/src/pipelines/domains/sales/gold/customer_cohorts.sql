WITH purchases AS (
    SELECT
        dataset,
        currency,
        customer_id,
        CAST(date_trunc('month', ordered_at) AS DATE) AS month,
        sum(amount) AS revenue
    FROM silver.sales
    GROUP BY dataset, currency, customer_id, CAST(date_trunc('month', ordered_at) AS DATE)
),
firsts AS (
    SELECT dataset, currency, customer_id, min(month) AS cohort
    FROM purchases
    GROUP BY dataset, currency, customer_id
),
sizes AS (
    SELECT dataset, currency, cohort, count(*) AS cohort_customers
    FROM firsts
    GROUP BY dataset, currency, cohort
),
months AS (
    SELECT
        purchases.dataset,
        purchases.currency,
        firsts.cohort,
        (year(purchases.month) - year(firsts.cohort)) * 12 + month(purchases.month) - month(firsts.cohort)
            AS months_since,
        count(*) AS active_customers,
        CAST(sum(purchases.revenue) AS DECIMAL(28, 3)) AS revenue
    FROM purchases
    INNER JOIN firsts
        ON purchases.dataset = firsts.dataset
        AND purchases.currency = firsts.currency
        AND purchases.customer_id = firsts.customer_id
    GROUP BY
        purchases.dataset,
        purchases.currency,
        firsts.cohort,
        (year(purchases.month) - year(firsts.cohort)) * 12 + month(purchases.month) - month(firsts.cohort)
),
grown AS (
    SELECT
        dataset,
        currency,
        cohort,
        months_since,
        active_customers,
        revenue,
        sum(revenue) OVER (
            PARTITION BY dataset, currency, cohort ORDER BY months_since
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS revenue_so_far
    FROM months
)
SELECT
    grown.dataset,
    grown.currency,
    grown.cohort,
    grown.months_since,
    sizes.cohort_customers,
    grown.active_customers,
    CAST(grown.active_customers AS DOUBLE) / CAST(sizes.cohort_customers AS DOUBLE) AS retention,
    grown.revenue,
    CAST(
        round(CAST(grown.revenue_so_far AS DECIMAL(24, 3)) / sizes.cohort_customers, 3) AS DECIMAL(28, 3)
    ) AS lifetime_value
FROM grown
INNER JOIN sizes
    ON grown.dataset = sizes.dataset
    AND grown.currency = sizes.currency
    AND grown.cohort = sizes.cohort
