/** The sign of the product: three bars of a timeline. */
export function Brand() {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
      <rect className="bar-llm" x="1" y="3" width="12" height="3.4" rx="1.7" />
      <rect className="bar-agent" x="5" y="8.3" width="10" height="3.4" rx="1.7" />
      <rect className="bar-tool" x="9" y="13.6" width="10" height="3.4" rx="1.7" />
    </svg>
  );
}
