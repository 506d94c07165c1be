-- RFM as Hughes has it (Strategic Database Marketing, 1994): fifths of customers by recency, frequency, money. The day
-- that recency counts from is the source's last one, so the table says the same whenever it is built.
WITH customers AS (
    SELECT
        dataset,
        currency,
        customer_id,
        min(ordered_at) AS first_ordered_at,
        max(ordered_at) AS last_ordered_at,
        count(DISTINCT CAST(ordered_at AS DATE)) AS frequency,
        sum(amount) AS lifetime_value
    FROM silver.sales
    GROUP BY dataset, currency, customer_id
),
ends AS (
    SELECT dataset, currency, CAST(max(last_ordered_at) AS DATE) AS ended_on
    FROM customers
    GROUP BY dataset, currency
),
scored AS (
    SELECT
        customers.dataset,
        customers.currency,
        customers.customer_id,
        customers.first_ordered_at,
        customers.last_ordered_at,
        datediff(ends.ended_on, CAST(customers.last_ordered_at AS DATE)) AS recency_days,
        customers.frequency,
        customers.lifetime_value,
        ntile(5) OVER (
            PARTITION BY customers.dataset, customers.currency
            ORDER BY CAST(customers.last_ordered_at AS DATE), customers.customer_id
        ) AS recency_score,
        ntile(5) OVER (
            PARTITION BY customers.dataset, customers.currency ORDER BY customers.frequency, customers.customer_id
        ) AS frequency_score,
        ntile(5) OVER (
            PARTITION BY customers.dataset, customers.currency ORDER BY customers.lifetime_value, customers.customer_id
        ) AS monetary_score
    FROM customers
    INNER JOIN ends ON customers.dataset = ends.dataset AND customers.currency = ends.currency
)
SELECT
    dataset,
    currency,
    customer_id,
    first_ordered_at,
    last_ordered_at,
    recency_days,
    frequency,
    lifetime_value,
    CAST(round(CAST(lifetime_value AS DECIMAL(24, 3)) / frequency, 3) AS DECIMAL(28, 3)) AS average_day,
    recency_score,
    frequency_score,
    monetary_score,
    CASE
        WHEN recency_score >= 4 AND frequency_score >= 4 AND monetary_score >= 4 THEN 'champion'
        WHEN recency_score >= 3 AND frequency_score >= 4 THEN 'loyal'
        WHEN recency_score >= 4 AND frequency = 1 THEN 'new'
        WHEN recency_score <= 2 AND frequency_score >= 4 THEN 'at_risk'
        WHEN recency_score = 1 THEN 'lost'
        ELSE 'regular'
    END AS segment
FROM scored
